#include "tests/support/sample_graphs.h"

#include <cmath>

#include "tests/support/op_cases.h"

namespace tests {

using namespace gpu;

Tensor Parameters::operator()(const Shape& shape) {
    all_.push_back(random_tensor(shape, 1000 + all_.size(), -0.1, 0.1));
    return all_.back();
}

Tensor feature_map(std::int64_t batch, std::int64_t channels, std::int64_t side, std::uint64_t seed) {
    return permute(random_tensor({batch, side, side, channels}, seed), {0, 3, 1, 2});
}

Tensor conv_layer(Parameters& make, const Tensor& x, std::int64_t channels, int kernel, int stride) {
    const Tensor weight = make({channels, x.size(1), kernel, kernel}), bias = reshape(make({channels}), {1, channels, 1, 1});
    return conv2d(x, weight, {.stride = stride, .pad = kernel / 2}) + bias;
}

Tensor res_block(Parameters& make, const Tensor& x, std::int64_t channels, int groups) {
    const Tensor h = conv_layer(make, silu(group_norm(x, groups, make({x.size(1)}), make({x.size(1)}))), channels, 3);
    const Tensor y = conv_layer(make, silu(group_norm(h, groups, make({channels}), make({channels}))), channels, 3);
    return y + (x.size(1) == channels ? x : conv_layer(make, x, channels, 1));
}

Tensor transformer_block(Parameters& make, const Tensor& x, int heads) {
    const std::int64_t b = x.size(0), t = x.size(1), c = x.size(2), d = c / heads;
    const auto split = [&](const Tensor& y) { return permute(reshape(y, {b, t, heads, d}), {0, 2, 1, 3}); };
    const Tensor h = layer_norm(x, make({c}), make({c}));
    const Tensor q = split(matmul(h, make({c, c}))), k = split(matmul(h, make({c, c}))), v = split(matmul(h, make({c, c})));
    const Tensor weights = softmax(matmul(q, transpose(k, 2, 3)) * (1 / std::sqrt(static_cast<double>(d))));
    const Tensor attended = reshape(permute(matmul(weights, v), {0, 2, 1, 3}), {b, t, c});
    const Tensor y = matmul(attended, make({c, c})) + make({c}) + x;
    const Tensor wide = matmul(layer_norm(y, make({c}), make({c})), make({c, 8 * c})) + make({8 * c});
    return matmul(slice(wide, 2, 0, 4 * c) * gelu(slice(wide, 2, 4 * c, 8 * c)), make({4 * c, c})) + make({c}) + y;
}

Tensor unet(Parameters& make, const Tensor& x, const std::vector<std::int64_t>& widths, int blocks, bool attend) {
    const auto attention = [&](const Tensor& h) {
        const std::int64_t b = h.size(0), c = h.size(1), side = h.size(2);
        const Tensor tokens = reshape(permute(h, {0, 2, 3, 1}), {b, side * side, c});
        return permute(reshape(transformer_block(make, tokens, 2), {b, side, side, c}), {0, 3, 1, 2});
    };
    Tensor h = conv_layer(make, x, widths[0], 3);
    Tensors skips{h};
    for (std::size_t level = 0; level < widths.size(); ++level) {
        if (level > 0) skips.push_back(h = conv_layer(make, h, widths[level - 1], 3, 2));
        for (int i = 0; i < blocks; ++i) skips.push_back(h = res_block(make, h, widths[level], 4));
    }
    h = res_block(make, h, widths.back(), 4);
    if (attend) h = attention(h);
    for (std::size_t level = widths.size(); level-- > 0;) {
        for (int i = 0; i <= blocks; ++i) {
            h = res_block(make, concat({h, skips.back()}, 1), widths[level], 4);
            skips.pop_back();
        }
        if (level > 0) h = conv_layer(make, upsample_nearest(h, 2), widths[level], 3);
    }
    return conv_layer(make, silu(group_norm(h, 4, make({widths[0]}), make({widths[0]}))), x.size(1), 3);
}

}  // namespace tests
