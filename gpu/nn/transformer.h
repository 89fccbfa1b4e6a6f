// The pieces of transformer blocks. What their weights are called is the model's business: projections are handed in.
#pragma once

#include "gpu/nn/modules.h"

namespace gpu::nn {

// Over the last axis; weight [channels], bias [channels]
struct LayerNorm {
    Tensor weight;
    Tensor bias;
    double eps;

    LayerNorm(const Scope& s, int channels, double eps = 1e-5);
    Tensor operator()(const Tensor& x) const;      // [..., channels]
};

// Multi-head attention. q: width -> inner, k and v: width of the context -> inner (or fewer heads, which are then shared),
// out: inner -> width; inner = heads * head size.
struct MultiHeadAttention {
    Linear q, k, v, out;
    int heads;

    // x [B, T, width], context [B or 1, K, width'] -> [B, T, width]. Without a context x attends to itself.
    Tensor operator()(const Tensor& x, const Tensor& context = {}, const AttentionOptions& options = {}, const Tensor& bias = {}) const;
};

// out(value * gelu(gate)) where `in` gives both, value first: width -> 2 inner, inner -> width.   arXiv:2002.05202
struct GegluFeedForward {
    Linear in, out;

    Tensor operator()(const Tensor& x) const;      // [..., width]
};

// [B, T, H * D] -> [B, H, T, D] and back, by views.
Tensor split_heads(const Tensor& x, int heads);
Tensor join_heads(const Tensor& x);

}  // namespace gpu::nn
