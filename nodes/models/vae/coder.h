// Encoder and decoder that the KL autoencoders of latent diffusion (arXiv:2112.10752, after arXiv:2012.09841) and VQ models share:
// ResBlocks without a timestep, halved or doubled between levels, one attention in the middle.
#pragma once

#include <optional>
#include <vector>

#include "gpu/nn/modules.h"
#include "nodes/models/vae/config.h"

namespace nodes {

namespace nn = gpu::nn;
using gpu::Scope;
using gpu::Tensor;

struct VaeResBlock {
    nn::GroupNorm norm1;
    nn::Conv2d conv1;
    nn::GroupNorm norm2;
    nn::Conv2d conv2;
    std::optional<nn::Conv2d> shortcut;            // nin_shortcut, where channels change

    VaeResBlock(const Scope& s, int in, int out, const VaeConfig& config);
    Tensor operator()(const Tensor& x) const;      // [N, in, H, W] -> [N, out, H, W]
};

// One head over all cells; scores exist a tile at a time.
struct VaeAttention {
    nn::GroupNorm norm;
    nn::Linear q, k, v, proj_out;

    VaeAttention(const Scope& s, int width, const VaeConfig& config);
    Tensor operator()(const Tensor& x) const;      // [N, width, H, W], unchanged
};

struct VaeMiddle {
    VaeResBlock block_1;
    std::optional<VaeAttention> attn_1;
    VaeResBlock block_2;

    VaeMiddle(const Scope& s, int width, bool attends, const VaeConfig& config);
    Tensor operator()(const Tensor& x) const;
};

struct VaeLevel {
    std::vector<VaeResBlock> blocks;
    std::vector<VaeAttention> attentions;          // one behind each block, or none

    VaeLevel(const Scope& s, int in, const VaeConfig::Level& level, int blocks, const VaeConfig& config);
    Tensor operator()(const Tensor& x) const;
};

struct VaeEncoder {
    nn::Conv2d conv_in;
    std::vector<VaeLevel> levels;
    std::vector<std::optional<nn::Conv2d>> downsample;      // behind all levels but the last
    VaeMiddle middle;
    nn::GroupNorm norm_out;
    nn::Conv2d conv_out;

    // `out`: channels of the result.
    VaeEncoder(const Scope& s, const VaeConfig& config, int out);
    Tensor operator()(const Tensor& pictures) const;        // [N, 3, f h, f w] -> [N, out, h, w]
};

struct VaeDecoder {
    nn::Conv2d conv_in;
    VaeMiddle middle;
    std::vector<VaeLevel> levels;                           // in order of processing: the lowest resolution first
    std::vector<std::optional<nn::Conv2d>> upsample;
    nn::GroupNorm norm_out;
    nn::Conv2d conv_out;

    VaeDecoder(const Scope& s, const VaeConfig& config);
    Tensor operator()(const Tensor& features) const;        // [N, features, h, w] -> [N, 3, f h, f w]
};

}  // namespace nodes
