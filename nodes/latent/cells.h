// What nodes that move latents share: lengths in pixels of the picture as latent cells.
#pragma once

#include <cmath>

#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/latent.h"

namespace nodes {

// The nearest number of whole cells.
inline std::int64_t cells(double pixels, const LatentFormat& format) { return std::llround(pixels / format.factor); }

// The same latent as a batch of `count`: one repeated, several in order and again from the first.
inline Tensor as_batch(const Tensor& x, std::int64_t count) {
    if (x.size(0) == count) return x;
    const Tensor times = x.size(0) < count ? gpu::repeat(x, {(count + x.size(0) - 1) / x.size(0), 1, 1, 1}) : x;
    return gpu::slice(times, 0, 0, count);
}

// Fails at `b` unless it can meet `a` element by element.
inline void check_same_kind(const Eval& ev, const Handle& b, const Latent& have, const Latent& want) {
    if (have.format.channels != want.format.channels || have.width() != want.width() || have.height() != want.height())
        ev.fail(b, "expected {} x {} cells of {} channels as the other latent has, got {} x {} of {}", want.width(), want.height(), want.format.channels,
                have.width(), have.height(), have.format.channels);
}

}  // namespace nodes
