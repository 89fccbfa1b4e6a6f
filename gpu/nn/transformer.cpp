#include "gpu/nn/transformer.h"

#include "gpu/base/error.h"
#include "gpu/graph/shown.h"

namespace gpu::nn {

LayerNorm::LayerNorm(const Scope& s, int channels, double eps)
    : weight(s.weight("weight", {channels}, {.centre = 1})), bias(s.weight("bias", {channels}, {})), eps(eps) {}

Tensor LayerNorm::operator()(const Tensor& x) const {
    const std::int64_t channels = weight.size(0);
    check(x.rank() >= 1 && x.size(-1) == channels, ErrorCode::InvalidGraph, "layer norm: expected [..., {}], got {}", channels,
          shown(x.spec()));
    return layer_norm(x, weight, bias, eps);
}

Tensor split_heads(const Tensor& x, int heads) {
    check(x.rank() == 3 && heads > 0 && x.size(2) % heads == 0, ErrorCode::InvalidGraph,
          "split_heads: expected [B, T, C] with C a multiple of {}, got {}", heads, shown(x.spec()));
    return permute(reshape(x, {x.size(0), x.size(1), heads, x.size(2) / heads}), {0, 2, 1, 3});
}

Tensor join_heads(const Tensor& x) {
    return reshape(permute(x, {0, 2, 1, 3}), {x.size(0), x.size(2), x.size(1) * x.size(3)});
}

Tensor MultiHeadAttention::operator()(const Tensor& x, const Tensor& context, const AttentionOptions& options, const Tensor& bias) const {
    const Tensor& source = context ? context : x;
    const Tensor queries = split_heads(q(x), heads);                                            // [B, H, T, D]
    const int kv_heads = static_cast<int>(k.weight.size(0) / queries.size(3));
    const Tensor keys = split_heads(k(source), kv_heads), values = split_heads(v(source), kv_heads);   // [B, Hk, K, D]
    return out(join_heads(attention(queries, keys, values, options, bias)));
}

Tensor GegluFeedForward::operator()(const Tensor& x) const {
    const Tensor both = in(x);   // [..., 2 inner]
    const std::int64_t inner = both.size(-1) / 2;
    return out(slice(both, -1, 0, inner) * gelu(slice(both, -1, inner, 2 * inner)));
}

}  // namespace gpu::nn
