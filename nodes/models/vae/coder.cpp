#include "nodes/models/vae/coder.h"

namespace nodes {
namespace {

std::string number(int at) { return std::to_string(at); }

// The encoder of a temporal autoencoder is that of pictures.
VaeConfig spatial(VaeConfig config) {
    config.temporal = false;
    return config;
}

// [F, C, H, W] <-> [1, C, F, H, W], views.
Tensor clip_of(const Tensor& frames) { return gpu::permute(gpu::unsqueeze(frames, {0}), {0, 2, 1, 3, 4}); }
Tensor frames_of(const Tensor& clip) { return gpu::squeeze(gpu::permute(clip, {0, 2, 1, 3, 4}), {0}); }

}  // namespace

VaeTimeConv::VaeTimeConv(const Scope& s, int channels)
    : weight(s.weight("weight", {channels, channels, 3, 1, 1}, {.bound = 0.5 / channels})), bias(s.weight("bias", {channels}, {})) {}

Tensor VaeTimeConv::operator()(const Tensor& x) const {
    return gpu::conv3d(x, weight, {.pad = {1, 0, 0}}) + gpu::reshape(bias, {1, -1, 1, 1, 1});
}

VaeTimeStack::VaeTimeStack(const Scope& s, int width, const VaeConfig& config)
    : norm_in(s / "time_stack.in_layers.0", width, config.groups),
      conv_in(s / "time_stack.in_layers.2", width),
      norm_out(s / "time_stack.out_layers.0", width, config.groups),
      conv_out(s / "time_stack.out_layers.3", width),
      mix_factor(s.weight("mix_factor", {1}, {})) {}

Tensor VaeTimeStack::operator()(const Tensor& x) const {
    const Tensor clip = clip_of(x);                                                           // [1, C, F, H, W]
    const Tensor h = conv_out(gpu::silu(norm_out(conv_in(gpu::silu(norm_in(clip))))));
    return x + gpu::reshape(gpu::sigmoid(mix_factor), {1, 1, 1, 1}) * frames_of(h);           // a (x + h) + (1 - a) x
}

VaeResBlock::VaeResBlock(const Scope& s, int in, int out, const VaeConfig& config)
    : norm1(s / "norm1", in, config.groups, config.eps),
      conv1(s / "conv1", in, out),
      norm2(s / "norm2", out, config.groups, config.eps),
      conv2(s / "conv2", out, out) {
    if (in != out) shortcut.emplace(s / "nin_shortcut", in, out, nn::Conv{.kernel = 1, .pad = 0});
    if (config.temporal) time.emplace(s, out, config);
}

Tensor VaeResBlock::operator()(const Tensor& x) const {
    const Tensor h = conv1(gpu::silu(norm1(x)));                                  // [N, out, H, W]
    const Tensor y = (shortcut ? (*shortcut)(x) : x) + conv2(gpu::silu(norm2(h)));
    return time ? (*time)(y) : y;
}

VaeAttention::VaeAttention(const Scope& s, int width, const VaeConfig& config)
    : norm(s / "norm", width, config.groups, config.eps),
      q(s / "q", width, width),
      k(s / "k", width, width),
      v(s / "v", width, width),
      proj_out(s / "proj_out", width, width) {}

Tensor VaeAttention::operator()(const Tensor& x) const {
    const std::int64_t n = x.size(0), width = x.size(1), h = x.size(2), w = x.size(3);
    const Tensor tokens = gpu::permute(gpu::reshape(norm(x), {n, width, h * w}), {0, 2, 1});            // [N, HW, C]
    const auto head = [](const Tensor& t) { return gpu::unsqueeze(t, {1}); };                           // [N, 1, HW, C]
    const Tensor mixed = gpu::squeeze(gpu::attention(head(q(tokens)), head(k(tokens)), head(v(tokens))), {1});
    return x + gpu::reshape(gpu::permute(proj_out(mixed), {0, 2, 1}), {n, width, h, w});
}

VaeMiddle::VaeMiddle(const Scope& s, int width, const VaeConfig::Half& half, const VaeConfig& config) : block_1(s / "block_1", width, width, config) {
    if (half.middle_attends) attn_1.emplace(s / "attn_1", width, config);
    if (half.middle_returns) block_2.emplace(s / "block_2", width, width, config);
}

Tensor VaeMiddle::operator()(const Tensor& x) const {
    const Tensor h = block_1(x);
    return block_2 ? (*block_2)(attn_1 ? (*attn_1)(h) : h) : h;
}

VaeLevel::VaeLevel(const Scope& s, int in, const VaeConfig::Level& level, int count, const VaeConfig& config) {
    for (int j = 0; j < count; ++j) {
        blocks.emplace_back(s / "block" / number(j), j ? level.width : in, level.width, config);
        if (level.attends) attentions.emplace_back(s / "attn" / number(j), level.width, config);
    }
}

Tensor VaeLevel::operator()(const Tensor& x) const {
    Tensor h = x;
    for (std::size_t j = 0; j < blocks.size(); ++j) {
        h = blocks[j](h);
        if (!attentions.empty()) h = attentions[j](h);
    }
    return h;
}

VaeEncoder::VaeEncoder(const Scope& s, const VaeConfig& config, int out)
    : conv_in(s / "conv_in", config.picture_channels, config.encoder.stem),
      middle(s / "mid", config.encoder.levels.back().width, config.encoder, spatial(config)),
      norm_out(s / "norm_out", config.encoder.levels.back().width, config.groups, config.eps),
      conv_out(s / "conv_out", config.encoder.levels.back().width, out) {
    const std::vector<VaeConfig::Level>& rows = config.encoder.levels;
    int width = config.encoder.stem;
    for (int i = 0; i < static_cast<int>(rows.size()); ++i) {
        const VaeConfig::Level& row = rows[static_cast<std::size_t>(i)];
        const Scope at = s / "down" / number(i);
        levels.emplace_back(at, width, row, row.blocks, spatial(config));
        width = row.width;
        if (i + 1 == static_cast<int>(rows.size())) break;
        auto& down = downsample.emplace_back();
        if (!row.convolves) continue;
        down.emplace(at / "downsample" / "conv", width, width, nn::Conv{.stride = 2, .pad = 0});
        down->options.pad_end = 1;      // a row below and a column on the right, none before
    }
}

Tensor VaeEncoder::operator()(const Tensor& pictures) const {
    Tensor h = conv_in(pictures);                                                // [N, stem, H, W]
    for (std::size_t i = 0; i < levels.size(); ++i) {
        h = levels[i](h);
        if (i == downsample.size()) break;
        h = downsample[i] ? (*downsample[i])(h) : gpu::resize(h, h.size(2) / 2, h.size(3) / 2, gpu::Filter::Area);      // half of both sides
    }
    return conv_out(gpu::silu(norm_out(middle(h))));                             // [N, out, h, w]
}

VaeDecoder::VaeDecoder(const Scope& s, const VaeConfig& config)
    : conv_in(s / "conv_in", config.features, config.decoder.stem),
      middle(s / "mid", config.decoder.stem, config.decoder, config),
      norm_out(s / "norm_out", config.decoder.levels.front().width, config.groups, config.eps),
      conv_out(s / "conv_out", config.decoder.levels.front().width, config.picture_channels) {
    const std::vector<VaeConfig::Level>& rows = config.decoder.levels;
    int width = config.decoder.stem;
    for (int i = static_cast<int>(rows.size()); i-- > 0;) {
        const VaeConfig::Level& row = rows[static_cast<std::size_t>(i)];
        const Scope at = s / "up" / number(i);
        levels.emplace_back(at, width, row, row.blocks, config);
        width = row.width;
        if (i == 0) break;
        auto& up = upsample.emplace_back();
        if (row.convolves) up.emplace(at / "upsample" / "conv", width, width);
    }
    if (config.temporal) time_mix_conv.emplace(s / "conv_out" / "time_mix_conv", config.picture_channels);
}

Tensor VaeDecoder::operator()(const Tensor& features) const {
    Tensor h = middle(conv_in(features));                                        // [N, stem, h, w]
    for (std::size_t i = 0; i < levels.size(); ++i) {
        h = levels[i](h);
        if (i == upsample.size()) break;
        h = gpu::upsample_nearest(h, 2);                                         // twice both sides
        if (upsample[i]) h = (*upsample[i])(h);
    }
    const Tensor pictures = conv_out(gpu::silu(norm_out(h)));                    // [N, 3, H, W]
    return time_mix_conv ? frames_of((*time_mix_conv)(clip_of(pictures))) : pictures;
}

}  // namespace nodes
