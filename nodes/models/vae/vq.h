// VQGAN (arXiv:2012.09841) and the VQ autoencoders of latent diffusion (arXiv:2112.10752): a codebook between the halves.
#pragma once

#include "nodes/models/vae/coder.h"
#include "nodes/models/vae/keys.h"
#include "nodes/types/vae.h"

namespace nodes {

// Latents are what the encoder gives before it is quantised, as latent diffusion uses them: decode() quantises.
class VqAutoencoder final : public Autoencoder {
public:
    // As KlAutoencoder; the codebook comes with the weights.
    VqAutoencoder(gpu::Weights weights, LatentFormat format, const VaeHints& hints = {});

    const LatentFormat& format() const override { return format_; }
    bool can_encode() const override { return encoder_.has_value(); }
    bool can_decode() const override { return decoder_.has_value(); }
    Tensor encode(const Tensor& pictures) const override;
    Tensor decode(const Tensor& latents) const override;
    std::string summary() const override;
    std::size_t bytes() const override { return bytes_; }

    // The network itself: pictures in -1..1, latents without the format's scale and shift.
    Tensor encode_raw(const Tensor& pictures) const;      // [N, C, h, w], before it is quantised
    Tensor indices(const Tensor& latents) const;          // I32 [N, h, w]: the nearest codes
    Tensor decode_raw(const Tensor& latents) const;       // quantises first
    Tensor decode_indices(const Tensor& indices) const;   // I32 [N, h, w] -> [N, 3, f h, f w]

    const VaeConfig& config() const { return config_; }
    const gpu::Weights& weights() const { return weights_; }

private:
    Tensor decode_codes(const Tensor& codes) const;

    gpu::Weights weights_;
    VaeConfig config_;
    LatentFormat format_;
    Tensor codebook_;      // [K, C]
    std::optional<VaeEncoder> encoder_;
    std::optional<nn::Conv2d> quant_conv_, post_quant_conv_;
    std::optional<VaeDecoder> decoder_;
    std::size_t bytes_ = 0;
};

Vae make_vq_autoencoder(gpu::Weights weights, LatentFormat format, const VaeHints& hints = {});

}  // namespace nodes
