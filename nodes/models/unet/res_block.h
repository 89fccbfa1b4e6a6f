// The residual block with a timestep embedding of ldm's UNet (arXiv:2112.10752), and what changes a map's size.
#pragma once

#include <optional>

#include "gpu/nn/modules.h"

namespace nodes {

namespace nn = gpu::nn;
using gpu::Scope;
using gpu::Tensor;

struct ResBlock {
    nn::GroupNorm norm_in;
    nn::Conv2d conv_in;
    nn::Linear time;
    nn::GroupNorm norm_out;
    nn::Conv2d conv_out;
    std::optional<nn::Conv2d> skip;

    ResBlock(const Scope& s, int in, int out, int time_width, int groups);
    // x [N, in, H, W], time: [N, time_width] after its SiLU -> [N, out, H, W]
    Tensor operator()(const Tensor& x, const Tensor& time) const;
};

struct Downsample {
    nn::Conv2d conv;

    Downsample(const Scope& s, int channels);
    Tensor operator()(const Tensor& x) const;      // [N, C, H, W] -> [N, C, ceil(H / 2), ceil(W / 2)]
};

struct Upsample {
    nn::Conv2d conv;

    Upsample(const Scope& s, int channels);
    // To height x width: twice the map's or one less, where the way down met an odd number.
    Tensor operator()(const Tensor& x, std::int64_t height, std::int64_t width) const;
};

}  // namespace nodes
