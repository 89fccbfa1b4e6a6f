// latent: what an autoencoder makes of pictures and a diffusion model works on. In<Latent>, Out<Latent>.
#pragma once

#include <string>

#include "nodes/core/socket_type.h"
#include "nodes/types/tensor.h"

namespace nodes {

// How a family of models writes its latents.
struct LatentFormat {
    std::string family;      // "sd1", "sdxl", "sd3", "flux", "flux2"; empty: unknown
    int channels = 4;
    int factor = 8;          // pixels per latent cell along either axis
    // From the values of the family's full autoencoder to those that its diffusion model sees: (value - shift) * scale.
    double scale = 1;
    double shift = 0;

    friend bool operator==(const LatentFormat&, const LatentFormat&) = default;
};

// The published numbers of a family; {channels} alone for one that is not known.
LatentFormat latent_format(const std::string& family, int channels);

struct Latent {
    Tensor tensor;      // F32 [N, C, h, w], always as the diffusion model sees it (scaled)
    LatentFormat format;
    Tensor mask;        // F32 [N or 1, 1, h, w]: 1 where a sampler repaints, 0 where it keeps what is there; empty: all is repainted

    std::int64_t batch() const { return tensor.size(0); }
    std::int64_t height() const { return tensor.size(2); }
    std::int64_t width() const { return tensor.size(3); }
    // The same with other numbers. The mask stays where it still fits, and goes where the size is another.
    Latent with(Tensor changed) const;
    Latent with_mask(Tensor changed) const;      // empty: none. Throws Error{InvalidGraph} unless it fits as said above
};

// Throws Error{InvalidGraph} unless `tensor` is F32 [N, format.channels, h, w] with at least one cell.
Latent make_latent(Tensor tensor, LatentFormat format);

// With its values computed.
Latent evaluated(Latent latent);

// What the first latent roughly looks like, a pixel a cell, not larger than max_side: a linear map to RGB for families that one is
// published for, else three channels as colours. Costs about nothing; for watching samplers.
QImage latent_preview(const Latent& latent, int max_side);

template <>
struct SocketTraits<Latent> {
    static constexpr const char* name = "latent";
    static SocketType describe();
};

}  // namespace nodes
