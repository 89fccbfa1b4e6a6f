#include "gpu/nn/small_unet.h"

#include "gpu/nn/timestep.h"

namespace gpu::nn {
namespace {

constexpr Conv one_by_one{.kernel = 1, .pad = 0};

std::string numbered(const std::string& name, std::size_t i) { return name + "." + std::to_string(i); }

MultiHeadAttention attention_of(const Scope& s, int width, int context, int heads) {
    return {Linear(s / "to_q", width, width, false), Linear(s / "to_k", context, width, false),
            Linear(s / "to_v", context, width, false), Linear(s / "to_out.0", width, width), heads};
}

}  // namespace

ResBlock::ResBlock(const Scope& s, int in, int out, int time, int groups)
    : norm1(s / "norm1", in, groups), norm2(s / "norm2", out, groups), conv1(s / "conv1", in, out), conv2(s / "conv2", out, out),
      time(s / "time_emb_proj", time, out) {
    if (in != out) shortcut.emplace(s / "conv_shortcut", in, out, one_by_one);
}

Tensor ResBlock::operator()(const Tensor& x, const Tensor& embedding) const {
    const Tensor shift = time(silu(embedding));
    const Tensor h = conv1(silu(norm1(x))) + reshape(shift, {shift.size(0), shift.size(1), 1, 1});
    return (shortcut ? (*shortcut)(x) : x) + conv2(silu(norm2(h)));
}

SpatialTransformer::SpatialTransformer(const Scope& s, int channels, const SmallUnetConfig& c)
    : norm(s / "norm", channels, c.groups, 1e-6), proj_in(s / "proj_in", channels, channels, one_by_one),
      proj_out(s / "proj_out", channels, channels, one_by_one), norm1(s / "transformer_blocks.0.norm1", channels),
      norm2(s / "transformer_blocks.0.norm2", channels), norm3(s / "transformer_blocks.0.norm3", channels),
      self(attention_of(s / "transformer_blocks.0.attn1", channels, channels, c.heads)),
      cross(attention_of(s / "transformer_blocks.0.attn2", channels, c.context, c.heads)),
      feed_forward{Linear(s / "transformer_blocks.0.ff.net.0.proj", channels, 8 * channels),
                   Linear(s / "transformer_blocks.0.ff.net.2", 4 * channels, channels)} {}

Tensor SpatialTransformer::operator()(const Tensor& x, const Tensor& context) const {
    const Shape& map = x.shape();
    Tensor t = transpose(reshape(proj_in(norm(x)), {map[0], map[1], map[2] * map[3]}), 1, 2);   // [N, H W, C]
    t = t + self(norm1(t));
    t = t + cross(norm2(t), context);
    t = t + feed_forward(norm3(t));
    return proj_out(reshape(transpose(t, 1, 2), map)) + x;
}

Tensor SmallUnet::Embedding::operator()(const Tensor& times) const {
    return second(silu(first(timestep_embedding(times, width))));
}

SmallUnet::SmallUnet(const Scope& s, const SmallUnetConfig& c)
    : embedding_{c.channels[0], Linear(s / "time_embedding.linear_1", c.channels[0], 4 * c.channels[0]),
                 Linear(s / "time_embedding.linear_2", 4 * c.channels[0], 4 * c.channels[0])},
      conv_in_(s / "conv_in", c.in, c.channels[0]),
      middle1_(s / "mid_block.resnets.0", c.channels.back(), c.channels.back(), 4 * c.channels[0], c.groups),
      middle2_(s / "mid_block.resnets.1", c.channels.back(), c.channels.back(), 4 * c.channels[0], c.groups),
      middle_(s / "mid_block.attentions.0", c.channels.back(), c), norm_out_(s / "conv_norm_out", c.channels[0], c.groups),
      conv_out_(s / "conv_out", c.channels[0], c.in) {
    const int time = 4 * c.channels[0];
    const std::size_t levels = c.channels.size();
    std::vector<int> kept{c.channels[0]};   // channels of what the way up takes over
    int width = c.channels[0];
    for (std::size_t i = 0; i < levels; ++i) {
        const Scope level = s / numbered("down_blocks", i);
        Level& made = down_.emplace_back();
        for (int b = 0; b < c.blocks; ++b) {
            made.blocks.emplace_back(level / numbered("resnets", static_cast<std::size_t>(b)), width, c.channels[i], time, c.groups);
            width = c.channels[i];
            if (c.attends[i]) made.transformers.emplace_back(level / numbered("attentions", static_cast<std::size_t>(b)), width, c);
            kept.push_back(width);
        }
        if (i + 1 == levels) continue;
        made.resample.emplace(level / "downsamplers.0.conv", width, width, Conv{.stride = 2});
        kept.push_back(width);
    }
    for (std::size_t i = levels; i-- > 0;) {
        const Scope level = s / numbered("up_blocks", levels - 1 - i);
        Level& made = up_.emplace_back();
        for (int b = 0; b <= c.blocks; ++b) {
            made.blocks.emplace_back(level / numbered("resnets", static_cast<std::size_t>(b)), width + kept.back(), c.channels[i], time, c.groups);
            kept.pop_back();
            width = c.channels[i];
            if (c.attends[i]) made.transformers.emplace_back(level / numbered("attentions", static_cast<std::size_t>(b)), width, c);
        }
        if (i > 0) made.resample.emplace(level / "upsamplers.0.conv", width, width);
    }
}

Tensor SmallUnet::operator()(const Tensor& latent, const Tensor& times, const Tensor& context) const {
    const Tensor embedding = embedding_(times);
    Tensor h = conv_in_(latent);
    Tensors kept{h};
    for (const Level& level : down_) {
        for (std::size_t b = 0; b < level.blocks.size(); ++b) {
            h = level.blocks[b](h, embedding);
            if (!level.transformers.empty()) h = level.transformers[b](h, context);
            kept.push_back(h);
        }
        if (level.resample) kept.push_back(h = (*level.resample)(h));
    }
    h = middle2_(middle_(middle1_(h, embedding), context), embedding);
    for (const Level& level : up_) {
        for (std::size_t b = 0; b < level.blocks.size(); ++b) {
            h = level.blocks[b](concat({h, kept.back()}, 1), embedding);
            kept.pop_back();
            if (!level.transformers.empty()) h = level.transformers[b](h, context);
        }
        if (level.resample) h = (*level.resample)(upsample_nearest(h, 2));
    }
    return conv_out_(silu(norm_out_(h)));
}

}  // namespace gpu::nn
