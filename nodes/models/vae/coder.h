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

// A convolution over the frames of a clip, [C, C, 3, 1, 1].
struct VaeTimeConv {
    Tensor weight, bias;

    VaeTimeConv(const Scope& s, int channels);
    Tensor operator()(const Tensor& x) const;      // [1, C, F, H, W], unchanged
};

// What the ResBlocks of a temporal decoder have behind them: one along time, mixed with what came in (arXiv:2311.15127, appendix D).
struct VaeTimeStack {
    nn::GroupNorm norm_in;                         // time_stack.in_layers.0
    VaeTimeConv conv_in;
    nn::GroupNorm norm_out;
    VaeTimeConv conv_out;
    Tensor mix_factor;                             // [1]

    VaeTimeStack(const Scope& s, int width, const VaeConfig& config);
    Tensor operator()(const Tensor& x) const;      // [F, width, H, W], unchanged
};

struct VaeResBlock {
    nn::GroupNorm norm1;
    nn::Conv2d conv1;
    nn::GroupNorm norm2;
    nn::Conv2d conv2;
    std::optional<nn::Conv2d> shortcut;            // nin_shortcut, where channels change
    std::optional<VaeTimeStack> time;              // of temporal decoders

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
    // Temporal decoders of one ResBlock a level have none, and then diffusers, which pairs it with the attention, runs neither.
    std::optional<VaeResBlock> block_2;

    VaeMiddle(const Scope& s, int width, const VaeConfig::Half& half, const VaeConfig& config);
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
    std::optional<VaeTimeConv> time_mix_conv;               // of temporal decoders, behind conv_out

    VaeDecoder(const Scope& s, const VaeConfig& config);
    // [N, features, h, w] -> [N, 3, f h, f w]; a temporal decoder takes the batch for the frames of one clip.
    Tensor operator()(const Tensor& features) const;
};

}  // namespace nodes
