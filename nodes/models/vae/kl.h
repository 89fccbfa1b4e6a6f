// The KL autoencoder of SD 1.x, 2.x and SDXL, of SD 3 and Flux, and every other size of it: arXiv:2112.10752, appendix G.
#pragma once

#include <string>

#include "nodes/models/vae/coder.h"
#include "nodes/models/vae/keys.h"
#include "nodes/types/vae.h"

namespace nodes {

class KlAutoencoder final : public Autoencoder {
public:
    // `weights` are named as in keys.h; either half may be missing. `format` with 0 channels takes the weights' number. Throws BadFile,
    // naming keys, where they do not fit each other.
    KlAutoencoder(gpu::Weights weights, LatentFormat format, const VaeHints& hints = {});
    // On any scope, for weights that are drawn or empty.
    KlAutoencoder(const Scope& s, const VaeConfig& config, LatentFormat format);

    const LatentFormat& format() const override { return format_; }
    bool can_encode() const override { return encoder_.has_value(); }
    bool can_decode() const override { return decoder_.has_value(); }
    Tensor encode(const Tensor& pictures) const override;
    Posterior posterior(const Tensor& pictures) const override;
    Tensor decode(const Tensor& latents) const override;
    std::string summary() const override;
    std::size_t bytes() const override { return bytes_; }

    // The network itself: pictures in -1..1, latents without the format's scale and shift.
    struct Moments {
        Tensor mean, logvar;      // [N, C, h, w]; the logarithm of the variance is cut to -30..20
    };
    Moments moments(const Tensor& pictures) const;
    Tensor decode_raw(const Tensor& latents) const;

    const VaeConfig& config() const { return config_; }
    const gpu::Weights& weights() const { return weights_; }

private:
    void build(const Scope& s);

    gpu::Weights weights_;
    VaeConfig config_;
    LatentFormat format_;
    std::optional<VaeEncoder> encoder_;
    std::optional<nn::Conv2d> quant_conv_, post_quant_conv_;
    std::optional<VaeDecoder> decoder_;
    std::size_t bytes_ = 0;
};

// Whether this file holds one, under any prefix or naming.
bool is_kl_autoencoder(const gpu::Checkpoint& file);
// Its weights under the inner names (add_vae_weights with a check of the kind). Throws BadFile, saying what it is instead.
void add_kl_weights(gpu::Weights& into, const gpu::Checkpoint& file, std::string_view prefix = "auto");
Vae make_kl_autoencoder(gpu::Weights weights, LatentFormat format, const VaeHints& hints = {});

}  // namespace nodes
