// The spatial transformer of ldm's UNet (arXiv:2112.10752, section 3.3): self attention, attention to the context and a gated
// feed-forward layer over the cells of a map.
#pragma once

#include <vector>

#include "gpu/nn/transformer.h"
#include "nodes/models/unet/hooks.h"
#include "nodes/types/patch.h"

namespace nodes {

namespace nn = gpu::nn;
using gpu::Scope;

struct CrossAttention {
    nn::Linear to_q, to_k, to_v, to_out;
    AttentionSite site;      // its map's size is filled in by each call

    CrossAttention(const Scope& s, int context_width, const AttentionSite& site);
    // x [B, T, C] normalised; source [B or 1, K, D]: what keys and values are made of -> [B, T, C]
    Tensor operator()(const Tensor& x, const Tensor& source, std::int64_t rows, std::int64_t columns, const DenoiserInput& call,
                      const UnetHooks& hooks) const;
};

struct TransformerBlock {
    nn::LayerNorm norm1, norm2, norm3;
    CrossAttention attn1, attn2;
    nn::GegluFeedForward ff;

    // `sites`: of attn1 and attn2.
    TransformerBlock(const Scope& s, int context_width, const AttentionSite* sites);
    // x [B, rows columns, C]
    Tensor operator()(Tensor x, std::int64_t rows, std::int64_t columns, const DenoiserInput& call, const UnetHooks& hooks) const;
};

struct SpatialTransformer {
    nn::GroupNorm norm;
    // [C, C, 1, 1] in SD 1, [C, C] since: the same numbers.
    struct Projection {
        Tensor weight, bias;
        std::vector<gpu::Branch> branches;
        Projection(const Scope& s, int channels, bool linear);
        Tensor operator()(const Tensor& tokens) const;      // [B, T, C]
    } proj_in, proj_out;
    std::vector<TransformerBlock> blocks;

    // `sites`: the first of 2 `depth`.
    SpatialTransformer(const Scope& s, int channels, int depth, int context_width, int groups, bool linear, const AttentionSite* sites);
    // x [B, C, H, W]; attends to call.context
    Tensor operator()(const Tensor& x, const DenoiserInput& call, const UnetHooks& hooks) const;
};

}  // namespace nodes
