#include "nodes/models/vae/vq.h"

#include "gpu/base/error.h"

namespace nodes {

using gpu::check;
using gpu::ErrorCode;

VqAutoencoder::VqAutoencoder(gpu::Weights weights, LatentFormat format, const VaeHints& hints)
    : weights_(std::move(weights)), config_(read_vae_config(weights_, hints)), format_(std::move(format)) {
    check(config_.codes > 0, ErrorCode::BadFile, "VQ autoencoder: expected a codebook quantize.embedding.weight, got none");
    if (format_.channels <= 0) format_.channels = config_.channels;
    check(format_.channels == config_.channels, ErrorCode::BadFile, "VQ autoencoder: expected codes of {} channels, got {}", format_.channels,
          config_.channels);
    format_.factor = config_.factor();
    const Scope s = Scope::weights(weights_);
    const auto mix = [&](const char* name, int in, int out) { return nn::Conv2d(s / name, in, out, {.kernel = 1, .pad = 0}); };
    codebook_ = s.weight("quantize.embedding.weight", {config_.codes, config_.channels}, {});
    if (!config_.encoder.levels.empty()) {
        encoder_.emplace(s / "encoder", config_, config_.features);
        if (config_.quant_conv) quant_conv_ = mix("quant_conv", config_.features, config_.channels);
    }
    if (!config_.decoder.levels.empty()) {
        if (config_.post_quant_conv) post_quant_conv_ = mix("post_quant_conv", config_.channels, config_.features);
        decoder_.emplace(s / "decoder", config_);
    }
    s.finish("VQ autoencoder");
    for (const auto& [name, weight] : weights_) bytes_ += weight.entry.bytes.size();
}

Tensor VqAutoencoder::encode_raw(const Tensor& pictures) const {
    check(can_encode(), ErrorCode::InvalidGraph, "encode: expected an autoencoder with an encoder, got only a decoder");
    const Tensor features = (*encoder_)(pictures);                                     // [N, features, h, w]
    return quant_conv_ ? (*quant_conv_)(features) : features;                          // [N, C, h, w]
}

Tensor VqAutoencoder::indices(const Tensor& latents) const {
    return gpu::vector_quantise(gpu::permute(latents, {0, 2, 3, 1}), codebook_).ids;
}

Tensor VqAutoencoder::decode_codes(const Tensor& codes) const {
    check(can_decode(), ErrorCode::InvalidGraph, "decode: expected an autoencoder with a decoder, got only an encoder");
    const Tensor maps = gpu::permute(codes, {0, 3, 1, 2});                             // [N, C, h, w]
    return (*decoder_)(post_quant_conv_ ? (*post_quant_conv_)(maps) : maps);           // [N, 3, f h, f w]
}

Tensor VqAutoencoder::decode_raw(const Tensor& latents) const {
    return decode_codes(gpu::vector_quantise(gpu::permute(latents, {0, 2, 3, 1}), codebook_).values);
}

Tensor VqAutoencoder::decode_indices(const Tensor& indices) const { return decode_codes(gpu::embedding(codebook_, indices)); }

Tensor VqAutoencoder::encode(const Tensor& pictures) const {
    return (encode_raw(pictures * 2.0 - 1.0) - format_.shift) * format_.scale;
}

Tensor VqAutoencoder::decode(const Tensor& latents) const {
    return decode_raw(latents / format_.scale + format_.shift) * 0.5 + 0.5;
}

std::string VqAutoencoder::summary() const {
    return gpu::format("VQ autoencoder, {} codes of {} channels{}{}", config_.codes, config_.channels, format_.family.empty() ? "" : ", ",
                       format_.family);
}

Vae make_vq_autoencoder(gpu::Weights weights, LatentFormat format, const VaeHints& hints) {
    return {std::make_shared<const VqAutoencoder>(std::move(weights), std::move(format), hints)};
}

}  // namespace nodes
