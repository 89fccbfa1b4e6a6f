// A small network with one of each: a convolutional residual block, an attention-like block, a linear head. The same as in
// tests/golden/train/make_train.py.
#pragma once

#include "gpu/nn/modules.h"

namespace tests {

struct TwoBlock {
    gpu::nn::Conv2d conv_in, conv1;
    gpu::nn::GroupNorm norm1, norm2;
    gpu::nn::Linear q, k, v, out, head;

    explicit TwoBlock(const gpu::Scope& s)
        : conv_in(s / "conv_in", 3, 16), conv1(s / "conv1", 16, 16), norm1(s / "norm1", 16, 4), norm2(s / "norm2", 16, 4),
          q(s / "q", 16, 16, false), k(s / "k", 16, 16, false), v(s / "v", 16, 16, false), out(s / "out", 16, 16), head(s / "head", 16, 5) {}

    gpu::Tensor convolve(const gpu::Tensor& x) const { return x + conv1(gpu::silu(norm1(x))); }
    gpu::Tensor attend(const gpu::Tensor& h) const {   // [N, 16, H, W] -> [N, H W, 16]
        const gpu::Tensor t = gpu::transpose(gpu::reshape(norm2(h), {h.size(0), 16, -1}), 1, 2);
        const gpu::Tensor weights = gpu::softmax(gpu::matmul(q(t), gpu::transpose(k(t), 1, 2)) * 0.25);
        return t + out(gpu::matmul(weights, v(t)));
    }
    gpu::Tensor operator()(const gpu::Tensor& x) const {   // [N, 3, H, W] -> [N, 5]
        return gpu::mean(head(gpu::silu(attend(convolve(conv_in(x))))), {1}, false);
    }
};

}  // namespace tests
