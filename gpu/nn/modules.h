// The layers that models are built from. Each is a value: weights (cheap handles) and what a call needs to know.
#pragma once

#include "gpu/nn/scope.h"
#include "gpu/ops.h"

namespace gpu::nn {

struct Conv {
    int kernel = 3;
    int stride = 1;
    int pad = 1;
    int dilation = 1;
    int groups = 1;
    bool bias = true;
};

// weight [out, in / groups, kernel, kernel], bias [out]
struct Conv2d {
    Tensor weight;
    Tensor bias;      // empty without one
    ConvOptions options;
    std::vector<Branch> branches;

    Conv2d(const Scope& s, int in, int out, const Conv& conv = {});
    Tensor operator()(const Tensor& x) const;      // [N, in, H, W] -> [N, out, H', W']
};

// weight [out, in], bias [out]
struct Linear {
    Tensor weight;
    Tensor bias;      // empty without one
    std::vector<Branch> branches;

    Linear(const Scope& s, int in, int out, bool with_bias = true);
    Tensor operator()(const Tensor& x) const;      // [..., in] -> [..., out]
};

// weight [channels], bias [channels]
struct GroupNorm {
    Tensor weight;
    Tensor bias;
    int groups;
    double eps;

    GroupNorm(const Scope& s, int channels, int groups = 32, double eps = 1e-5);
    Tensor operator()(const Tensor& x) const;      // [N, channels, ...]
};

}  // namespace gpu::nn
