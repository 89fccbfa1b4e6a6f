#include "gpu/nn/modules.h"

#include <cmath>

namespace gpu::nn {
namespace {

// The usual start for layers before a rectifier: variance 1 / (3 fan_in), as PyTorch draws it.
Scope::Init by_fan_in(std::int64_t fan_in) { return {.bound = 1 / std::sqrt(static_cast<double>(fan_in))}; }

// A bias does not widen activations of 16 bits.
Tensor biased(const Tensor& y, const Tensor& bias) { return y + (y.dtype() == Dtype::F32 ? bias : cast(bias, y.dtype())); }

}  // namespace

Conv2d::Conv2d(const Scope& s, int in, int out, const Conv& conv)
    : weight(s.weight("weight", {out, in / conv.groups, conv.kernel, conv.kernel},
                      by_fan_in(std::int64_t{in} / conv.groups * conv.kernel * conv.kernel))),
      options{.stride = conv.stride, .pad = conv.pad, .dilation = conv.dilation, .groups = conv.groups},
      branches(s.branches("weight")) {
    if (conv.bias) bias = s.weight("bias", {out}, by_fan_in(std::int64_t{in} / conv.groups * conv.kernel * conv.kernel));
}

Tensor Conv2d::operator()(const Tensor& x) const {
    Tensor y = conv2d(x, weight, options);
    for (const Branch& branch : branches)
        y = y + conv2d(conv2d(x, branch.down, options), reshape(branch.up, {branch.up.size(0), branch.up.size(1), 1, 1}));
    return bias ? biased(y, reshape(bias, {1, -1, 1, 1})) : y;
}

Linear::Linear(const Scope& s, int in, int out, bool with_bias)
    : weight(s.weight("weight", {out, in}, by_fan_in(in))), branches(s.branches("weight")) {
    if (with_bias) bias = s.weight("bias", {out}, by_fan_in(in));
}

Tensor Linear::operator()(const Tensor& x) const {
    Tensor y = matmul(x, transpose(weight, 0, 1));
    for (const Branch& branch : branches) y = y + matmul(matmul(x, transpose(branch.down, 0, 1)), transpose(branch.up, 0, 1));
    return bias ? biased(y, bias) : y;
}

GroupNorm::GroupNorm(const Scope& s, int channels, int groups, double eps)
    : weight(s.weight("weight", {channels}, {.centre = 1})), bias(s.weight("bias", {channels}, {})), groups(groups), eps(eps) {}

Tensor GroupNorm::operator()(const Tensor& x) const { return group_norm(x, groups, weight, bias, eps); }

}  // namespace gpu::nn
