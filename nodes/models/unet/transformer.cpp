#include "nodes/models/unet/transformer.h"

#include <cmath>

#include "gpu/base/format.h"

namespace nodes {

CrossAttention::CrossAttention(const Scope& s, int context_width, const AttentionSite& site)
    : to_q(s / "to_q", site.width, site.width, false),
      to_k(s / "to_k", context_width, site.width, false),
      to_v(s / "to_v", context_width, site.width, false),
      to_out(s / "to_out.0", site.width, site.width),
      site(site) {}

Tensor CrossAttention::operator()(const Tensor& x, const Tensor& source, std::int64_t rows, std::int64_t columns,
                                  const DenoiserInput& call, const UnetHooks& hooks) const {
    AttentionSite here = site;
    here.rows = rows, here.columns = columns;
    Tensor from = source;
    for (const AttentionPatch* patch : hooks.attention) from = patch->source(here, from, call);
    const Tensor q = nn::split_heads(to_q(x), site.heads);         // [B, H, T, d]
    const Tensor k = nn::split_heads(to_k(from), site.heads);      // [B, H, K, d]
    const Tensor v = nn::split_heads(to_v(from), site.heads);
    Tensor result = gpu::attention(q, k, v);                       // [B, H, T, d]
    for (const AttentionPatch* patch : hooks.attention) result = patch->result(here, {x, q, k, v, call}, result);
    return to_out(nn::join_heads(result));                         // [B, T, C]
}

TransformerBlock::TransformerBlock(const Scope& s, int context_width, const AttentionSite* sites)
    : norm1(s / "norm1", sites[0].width),
      norm2(s / "norm2", sites[0].width),
      norm3(s / "norm3", sites[0].width),
      attn1(s / "attn1", sites[0].width, sites[0]),
      attn2(s / "attn2", context_width, sites[1]),
      ff{nn::Linear(s / "ff.net.0.proj", sites[0].width, 8 * sites[0].width), nn::Linear(s / "ff.net.2", 4 * sites[0].width, sites[0].width)} {}

Tensor TransformerBlock::operator()(Tensor x, std::int64_t rows, std::int64_t columns, const DenoiserInput& call,
                                    const UnetHooks& hooks) const {
    const Tensor own = norm1(x);
    x = attn1(own, own, rows, columns, call, hooks) + x;                      // [B, T, C]
    x = attn2(norm2(x), call.context, rows, columns, call, hooks) + x;
    return ff(norm3(x)) + x;
}

SpatialTransformer::Projection::Projection(const Scope& s, int channels, bool linear)
    : weight(s.weight("weight", linear ? gpu::Shape{channels, channels} : gpu::Shape{channels, channels, 1, 1},
                      {.bound = 1 / std::sqrt(static_cast<double>(channels))})),
      bias(s.weight("bias", {channels}, {.bound = 1 / std::sqrt(static_cast<double>(channels))})),
      branches(s.branches("weight")) {}

Tensor SpatialTransformer::Projection::operator()(const Tensor& tokens) const {
    const auto times = [](const Tensor& x, const Tensor& matrix) {
        return gpu::matmul(x, gpu::transpose(gpu::reshape(matrix, {matrix.size(0), matrix.size(1)}), 0, 1));
    };
    Tensor y = times(tokens, weight);
    y = y + gpu::cast(bias, y.dtype());      // a bias does not widen activations of 16 bits
    for (const gpu::Branch& branch : branches) y = y + times(times(tokens, branch.down), branch.up);
    return y;
}

SpatialTransformer::SpatialTransformer(const Scope& s, int channels, int depth, int context_width, int groups, bool linear,
                                       const AttentionSite* sites)
    : norm(s / "norm", channels, groups, 1e-6), proj_in(s / "proj_in", channels, linear), proj_out(s / "proj_out", channels, linear) {
    for (int i = 0; i < depth; ++i) blocks.emplace_back(s / gpu::format("transformer_blocks.{}", i), context_width, sites + 2 * i);
}

Tensor SpatialTransformer::operator()(const Tensor& x, const DenoiserInput& call, const UnetHooks& hooks) const {
    const auto tokens = [&](const Tensor& map) { return gpu::transpose(gpu::reshape(map, {x.size(0), x.size(1), -1}), 1, 2); };
    Tensor h = proj_in(tokens(norm(x)));                                      // [B, H W, C]
    for (const TransformerBlock& block : blocks) h = block(h, x.size(2), x.size(3), call, hooks);
    return gpu::reshape(gpu::transpose(proj_out(h), 1, 2), x.shape()) + x;    // [B, C, H, W]
}

}  // namespace nodes
