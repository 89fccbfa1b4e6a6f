#include "nodes/models/vae/config.h"

#include <numeric>

#include "gpu/base/error.h"

namespace nodes {
namespace {

using gpu::format;

// Looks up shapes by name: an axis of a weight, or 0 where there is no such weight.
class Shapes {
public:
    explicit Shapes(const gpu::Weights& weights) : weights_(weights) {}

    bool has(const std::string& name) const { return weights_.contains(name); }
    int size(const std::string& name, std::size_t axis) const {
        const auto at = weights_.find(name);
        return at == weights_.end() || at->second.entry.shape.size() <= axis ? 0 : static_cast<int>(at->second.entry.shape[axis]);
    }

private:
    const gpu::Weights& weights_;
};

VaeConfig::Half read_half(const Shapes& shapes, const std::string& half, const std::string& levels, const std::string& resample) {
    VaeConfig::Half read;
    if (!shapes.has(half + ".conv_in.weight")) return read;
    read.stem = shapes.size(half + ".conv_in.weight", 0);
    read.middle_attends = shapes.has(half + ".mid.attn_1.q.weight");
    read.middle_returns = shapes.has(half + ".mid.block_2.conv1.weight") || !shapes.has(half + ".mid.block_1.mix_factor");
    for (int i = 0;; ++i) {
        const std::string at = format("{}.{}.{}.", half, levels, i);
        VaeConfig::Level level{.width = shapes.size(at + "block.0.conv1.weight", 0)};
        if (!level.width) break;
        while (shapes.has(format("{}block.{}.conv1.weight", at, level.blocks))) ++level.blocks;
        level.attends = shapes.has(at + "attn.0.q.weight");
        level.convolves = shapes.has(format("{}{}.conv.weight", at, resample));
        read.levels.push_back(level);
    }
    gpu::check(!read.levels.empty(), gpu::ErrorCode::BadFile, "autoencoder: expected levels {}.{}.0 ..., got none", half, levels);
    return read;
}

}  // namespace

int VaeConfig::factor() const { return 1 << (std::max(encoder.levels.size(), decoder.levels.size()) - 1); }

VaeConfig vae_config(const std::vector<int>& widths, int latent_channels, int blocks) {
    VaeConfig config{.features = latent_channels, .channels = latent_channels};
    config.quant_conv = config.post_quant_conv = latent_channels <= 4;
    for (const int width : widths) {
        config.encoder.levels.push_back({.width = width, .blocks = blocks});
        config.decoder.levels.push_back({.width = width, .blocks = blocks + 1});
        config.groups = std::gcd(config.groups, width);
    }
    config.encoder.stem = widths.front();
    config.decoder.stem = widths.back();
    return config;
}

VaeConfig read_vae_config(const gpu::Weights& weights, const VaeHints& hints) {
    const Shapes shapes(weights);
    VaeConfig config{.eps = hints.eps};
    config.encoder = read_half(shapes, "encoder", "down", "downsample");
    config.decoder = read_half(shapes, "decoder", "up", "upsample");
    const bool encodes = !config.encoder.levels.empty(), decodes = !config.decoder.levels.empty();
    gpu::check(encodes || decodes, gpu::ErrorCode::BadFile,
               "autoencoder: expected weights such as encoder.conv_in.weight or decoder.conv_in.weight, got neither");
    gpu::check(!encodes || !decodes || config.encoder.levels.size() == config.decoder.levels.size(), gpu::ErrorCode::BadFile,
               "autoencoder: expected as many levels in both halves, got {} in the encoder and {} in the decoder",
               config.encoder.levels.size(), config.decoder.levels.size());
    config.codes = shapes.size("quantize.embedding.weight", 0);
    config.temporal = shapes.has("decoder.mid.block_1.mix_factor");
    config.quant_conv = shapes.has("quant_conv.weight");
    config.post_quant_conv = shapes.has("post_quant_conv.weight");
    config.picture_channels = encodes ? shapes.size("encoder.conv_in.weight", 1) : shapes.size("decoder.conv_out.weight", 0);
    const int parts = config.codes ? 1 : 2;      // the encoder of a KL model writes mean and log variance
    config.features = decodes ? shapes.size("decoder.conv_in.weight", 1) : shapes.size("encoder.conv_out.weight", 0) / parts;
    config.channels = config.codes             ? shapes.size("quantize.embedding.weight", 1)
                      : config.post_quant_conv ? shapes.size("post_quant_conv.weight", 1)
                      : config.quant_conv      ? shapes.size("quant_conv.weight", 0) / parts
                                               : config.features;
    gpu::check(config.channels > 0 && config.features > 0 && config.picture_channels > 0, gpu::ErrorCode::BadFile,
               "autoencoder: expected weights with channels, got {} of the picture, {} of the features, {} of the latent",
               config.picture_channels, config.features, config.channels);
    int common = 32;
    for (const VaeConfig::Half* half : {&config.encoder, &config.decoder}) {
        for (const VaeConfig::Level& level : half->levels) common = std::gcd(common, level.width);
        if (!half->levels.empty()) common = std::gcd(common, half->stem);
    }
    config.groups = hints.groups ? hints.groups : common;
    return config;
}

}  // namespace nodes
