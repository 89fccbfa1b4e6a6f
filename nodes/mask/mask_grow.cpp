// Grey-scale dilation and erosion with a flat element (J. Serra, "Image Analysis and Mathematical Morphology", 1982): the greatest or
// least value under the element. Row by row on the processor: a running maximum per row of the element (M. van Herk, 1992).
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"
#include "nodes/types/mask.h"

namespace nodes {
namespace {

enum class Shape { Round, Square, Diamond };

// The greatest of row[x - half ... x + half] for every x, what is outside left out.
void running_max(const float* row, std::int64_t w, std::int64_t half, std::vector<float>& padded, std::vector<float>& ahead, float* out) {
    const std::int64_t window = 2 * half + 1, length = (w + 2 * half + window - 1) / window * window;
    padded.assign(static_cast<std::size_t>(length), -std::numeric_limits<float>::infinity());
    std::copy(row, row + w, padded.begin() + half);
    // Maxima from the start of each block on, and (in place) to its end: any window is the end of one and the start of the next.
    ahead = padded;
    for (std::int64_t i = 1; i < length; ++i)
        if (i % window) ahead[static_cast<std::size_t>(i)] = std::max(ahead[static_cast<std::size_t>(i)], ahead[static_cast<std::size_t>(i - 1)]);
    for (std::int64_t i = length - 2; i >= 0; --i)
        if ((i + 1) % window) padded[static_cast<std::size_t>(i)] = std::max(padded[static_cast<std::size_t>(i)], padded[static_cast<std::size_t>(i + 1)]);
    for (std::int64_t x = 0; x < w; ++x)
        out[x] = std::max(padded[static_cast<std::size_t>(x)], ahead[static_cast<std::size_t>(x + window - 1)]);
}

struct MaskGrow final : Node {
    MaskGrow() : Node({.id = "mask.grow", .version = 1, .title = "Grow Mask", .category = "Mask",
                       .help = "Widens what is chosen by a number of pixels, or narrows it by a negative one. Soft edges move as they are."}) {}

    In<Mask>     mask {this, "mask", "Masks to change"};
    Param<int>   by   {this, "by", "How far edges move outwards; below 0 inwards", {.initial = 8, .min = -512, .max = 512, .unit = "px"}};
    Param<Shape> shape{this, "shape", "Round moves every edge by the same distance; square keeps right angles",
                       {.initial = Shape::Round, .names = {"round", "square", "diamond"}}};
    Out<Mask>    grown{this, "mask", "The wider or narrower masks"};

    void compute(Eval& ev) const override {
        const Mask& source = ev[mask];
        if (ev[by] == 0) return ev.set(grown, source);
        const std::int64_t n = source.batch(), h = source.height(), w = source.width(), reach = std::abs(ev[by]);
        // The least value is the negated greatest of the negated.
        std::vector<float> values = to_interleaved(ev[by] < 0 ? -source.tensor : source.tensor);
        std::vector<float> wide(values.size(), -std::numeric_limits<float>::infinity());
        std::vector<float> padded, ahead, line(static_cast<std::size_t>(w));
        for (std::int64_t y = 0; y < n * h; ++y) {
            ev.progress(y, n * h);
            const float* const row = values.data() + y * w;
            const std::int64_t top = y / h * h;
            std::int64_t done = -1;      // half width that `line` holds
            for (std::int64_t d = reach; d >= 0; --d) {
                const std::int64_t half = half_width(ev[shape], reach, d);
                if (half != done) running_max(row, w, done = half, padded, ahead, line.data());
                for (const std::int64_t target : {y - d, y + d}) {
                    if (target < top || target >= top + h) continue;
                    float* const out = wide.data() + target * w;
                    for (std::int64_t x = 0; x < w; ++x) out[x] = std::max(out[x], line[static_cast<std::size_t>(x)]);
                }
            }
        }
        const Tensor result = from_interleaved(std::move(wide), n, h, w, 1);
        ev.set(grown, evaluated(make_mask(ev[by] < 0 ? -result : result)));
    }

    static std::int64_t half_width(Shape shape, std::int64_t reach, std::int64_t row) {
        switch (shape) {
            case Shape::Square: return reach;
            case Shape::Diamond: return reach - row;
            case Shape::Round: break;
        }
        return static_cast<std::int64_t>(std::sqrt(double(reach * reach - row * row)));
    }
};

}  // namespace

REGISTER_NODE(mask_grow, MaskGrow)

}  // namespace nodes
