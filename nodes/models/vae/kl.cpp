#include "nodes/models/vae/kl.h"

#include "gpu/base/error.h"

namespace nodes {

using gpu::check;
using gpu::ErrorCode;

KlAutoencoder::KlAutoencoder(gpu::Weights weights, LatentFormat format, const VaeHints& hints)
    : weights_(std::move(weights)), config_(read_vae_config(weights_, hints)), format_(std::move(format)) {
    const Scope scope = Scope::weights(weights_);
    build(scope);
    scope.finish("KL autoencoder");
    for (const auto& [name, weight] : weights_) bytes_ += weight.entry.bytes.size();
}

KlAutoencoder::KlAutoencoder(const Scope& s, const VaeConfig& config, LatentFormat format) : config_(config), format_(std::move(format)) {
    build(s);
    for (const Scope::Asked& asked : s.asked()) bytes_ += static_cast<std::size_t>(gpu::element_count(asked.shape)) * sizeof(float);
}

void KlAutoencoder::build(const Scope& s) {
    if (format_.channels <= 0) format_.channels = config_.channels;
    check(format_.channels == config_.channels, ErrorCode::BadFile, "KL autoencoder: expected {} latent channels for {}, got {}",
          format_.channels, format_.family.empty() ? "the format" : format_.family, config_.channels);
    check(config_.codes == 0, ErrorCode::BadFile, "KL autoencoder: expected no codebook, got one of {} codes: a VQ model", config_.codes);
    format_.factor = config_.factor();
    const auto mix = [&](const char* name, int in, int out) { return nn::Conv2d(s / name, in, out, {.kernel = 1, .pad = 0}); };
    if (!config_.encoder.levels.empty()) {
        encoder_.emplace(s / "encoder", config_, 2 * config_.features);
        if (config_.quant_conv) quant_conv_ = mix("quant_conv", 2 * config_.features, 2 * config_.channels);
    }
    if (!config_.decoder.levels.empty()) {
        if (config_.post_quant_conv) post_quant_conv_ = mix("post_quant_conv", config_.channels, config_.features);
        decoder_.emplace(s / "decoder", config_);
    }
}

KlAutoencoder::Moments KlAutoencoder::moments(const Tensor& pictures) const {
    check(can_encode(), ErrorCode::InvalidGraph, "encode: expected an autoencoder with an encoder, got only a decoder");
    const Tensor features = (*encoder_)(pictures);                                          // [N, 2 features, h, w]
    const Tensor both = quant_conv_ ? (*quant_conv_)(features) : features;                  // [N, 2 C, h, w]
    const std::int64_t c = config_.channels;
    return {gpu::slice(both, 1, 0, c), gpu::clamp(gpu::slice(both, 1, c, 2 * c), -30, 20)};
}

Tensor KlAutoencoder::encode(const Tensor& pictures) const {
    return (moments(pictures * 2.0 - 1.0).mean - format_.shift) * format_.scale;
}

Autoencoder::Posterior KlAutoencoder::posterior(const Tensor& pictures) const {
    const Moments moments = this->moments(pictures * 2.0 - 1.0);
    return {(moments.mean - format_.shift) * format_.scale, gpu::exp(0.5 * moments.logvar) * format_.scale};
}

Tensor KlAutoencoder::decode_raw(const Tensor& latents) const {
    check(can_decode(), ErrorCode::InvalidGraph, "decode: expected an autoencoder with a decoder, got only an encoder");
    return (*decoder_)(post_quant_conv_ ? (*post_quant_conv_)(latents) : latents);          // [N, 3, f h, f w]
}

Tensor KlAutoencoder::decode(const Tensor& latents) const {
    return decode_raw(latents / format_.scale + format_.shift) * 0.5 + 0.5;
}

std::string KlAutoencoder::summary() const {
    const char* halves = !encoder_ ? ", decoder only" : !decoder_ ? ", encoder only" : "";
    return gpu::format("KL autoencoder, {} channels{}{}{}", format_.channels, format_.family.empty() ? "" : ", ", format_.family, halves);
}

bool is_kl_autoencoder(const gpu::Checkpoint& file) {
    const std::optional<VaePlace> place = find_vae(file);
    return place && place->kind == VaeKind::Kl;
}

void add_kl_weights(gpu::Weights& into, const gpu::Checkpoint& file, std::string_view prefix) {
    if (const std::optional<VaePlace> place = find_vae(file, prefix))
        check(place->kind == VaeKind::Kl, ErrorCode::BadFile, "{}: expected a KL autoencoder, got {}", file.path(),
              place->kind == VaeKind::Vq ? "a VQ model" : "one with a temporal decoder");
    add_vae_weights(into, file, prefix);
}

Vae make_kl_autoencoder(gpu::Weights weights, LatentFormat format, const VaeHints& hints) {
    return {std::make_shared<const KlAutoencoder>(std::move(weights), std::move(format), hints)};
}

}  // namespace nodes
