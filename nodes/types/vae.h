// vae: an autoencoder between pictures and latents. In<Vae>, Out<Vae>.
#pragma once

#include <memory>
#include <string>

#include "gpu/ops.h"
#include "nodes/core/socket_type.h"
#include "nodes/types/latent.h"
#include "nodes/types/trained.h"

namespace nodes {

// Implemented by each family in nodes/models. Immutable, used by several threads.
class Autoencoder {
public:
    virtual ~Autoencoder() = default;

    virtual const LatentFormat& format() const = 0;
    virtual bool can_encode() const = 0;
    virtual bool can_decode() const = 0;
    // Pictures F32 [N, 3, H, W] in 0..1 (sRGB), H and W multiples of format().factor, to latents [N, C, h, w] as the
    // diffusion model sees them, and back. Lazy. decode() does not clamp: values may leave 0..1.
    virtual Tensor encode(const Tensor& pictures) const = 0;
    virtual Tensor decode(const Tensor& latents) const = 0;
    // What encode() gives the mean of: each element of a latent is normal with this mean and deviation, both as the diffusion
    // model sees them. `deviation` is empty where a picture has one latent.
    struct Posterior {
        Tensor mean, deviation;
        // mean + deviation * noise; noise [N, C, h, w] of deviation 1.
        Tensor sample(const Tensor& noise) const;
    };
    virtual Posterior posterior(const Tensor& pictures) const { return {encode(pictures), {}}; }

    virtual std::string summary() const = 0;      // "tiny autoencoder, 16 channels, flux"
    virtual std::size_t bytes() const = 0;        // of the weights
};

inline Tensor Autoencoder::Posterior::sample(const Tensor& noise) const { return deviation ? mean + deviation * noise : mean; }

// A cheap shared handle; never empty on a wire.
struct Vae {
    std::shared_ptr<const Autoencoder> model;

    const Autoencoder* operator->() const { return model.get(); }
};

template <>
struct SocketTraits<Vae> {
    static constexpr const char* name = "vae";
    static SocketType describe() {
        return {.title = "Autoencoder", .colour = "#c0504d", .help = "Turns pictures into latents and back",
                .bytes = erased<Vae>([](const Vae& vae) { return vae->bytes(); }),
                .summary = erased<Vae>([](const Vae& vae) { return vae->summary(); }),
                .accepts = {from_trained<Vae>()}};
    }
};

}  // namespace nodes
