// Parts of networks made by hand, shared by the tests of the planner. Parameters are random leaves.
#pragma once

#include <vector>

#include "gpu/ops.h"

namespace tests {

// Makes parameters as they are asked for and keeps them, so that a gradient can be taken for all.
class Parameters {
public:
    gpu::Tensor operator()(const gpu::Shape& shape);
    const gpu::Tensors& all() const { return all_; }

private:
    gpu::Tensors all_;
};

// A channels-last feature map [batch, channels, side, side].
gpu::Tensor feature_map(std::int64_t batch, std::int64_t channels, std::int64_t side, std::uint64_t seed);

gpu::Tensor conv_layer(Parameters& make, const gpu::Tensor& x, std::int64_t channels, int kernel, int stride = 1);
// norm, SiLU, convolution, twice; 1 x 1 convolution on the way around where the channels change.
gpu::Tensor res_block(Parameters& make, const gpu::Tensor& x, std::int64_t channels, int groups);
// x [B, T, C]: self-attention with `heads` heads, then a GEGLU feed-forward, both behind layer norms and residual.
gpu::Tensor transformer_block(Parameters& make, const gpu::Tensor& x, int heads);
// Down, middle, up with a skip connection from every block; `widths` are the channels of the levels.
gpu::Tensor unet(Parameters& make, const gpu::Tensor& x, const std::vector<std::int64_t>& widths, int blocks, bool attend);

}  // namespace tests
