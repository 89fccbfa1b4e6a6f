#include "nodes/training/discriminator.h"

#include <algorithm>
#include <cmath>

#include "gpu/base/error.h"
#include "gpu/ops.h"

namespace nodes {
namespace {

constexpr double slope = 0.2;          // of leaky ReLU
constexpr double norm_eps = 1e-5;
const double spread = 0.02 * std::sqrt(3.0);      // of uniform numbers of deviation 0.02, as DCGAN draws weights (arXiv:1511.06434)

Tensor per_channel(const Tensor& x) { return gpu::reshape(x, {1, -1, 1, 1}); }

}  // namespace

PatchDiscriminator::PatchDiscriminator(const Scope& s, const DiscriminatorConfig& config) {
    gpu::check(config.width > 0 && config.layers > 0, gpu::ErrorCode::InvalidGraph, "discriminator: expected a width and layers, got {} and {}", config.width, config.layers);
    const Scope main = s / "main";
    int number = 0, channels = 3;
    const auto add = [&](int out, int stride, bool normed, bool leaky) {
        const Scope own = main / std::to_string(number++);
        Layer layer{own.weight("weight", {out, channels, 4, 4}, {.bound = spread}), {}, stride, {}, leaky};
        if (!normed) layer.bias = own.weight("bias", {out}, {.bound = 1 / std::sqrt(16.0 * channels)});
        if (normed) {
            const Scope beside = main / std::to_string(number++);
            layer.norm = BatchNorm{beside.weight("weight", {out}, {.bound = spread, .centre = 1}), beside.weight("bias", {out}, {})};
        }
        number += leaky;
        layers_.push_back(std::move(layer));
        channels = out;
    };
    const auto width_of = [&](int layer) { return config.width * std::min(1 << std::min(layer, 8), 8); };
    add(config.width, 2, false, true);
    for (int n = 1; n < config.layers; ++n) add(width_of(n), 2, true, true);
    add(width_of(config.layers), 1, true, true);
    add(1, 1, false, false);
}

Tensor PatchDiscriminator::operator()(Tensor x) const {
    for (const Layer& layer : layers_) {
        x = gpu::conv2d(x, layer.weight, {.stride = layer.stride, .pad = 1});
        if (layer.bias) x = x + per_channel(layer.bias);
        if (layer.norm) {
            const Tensor off = x - gpu::mean(x, {0, 2, 3});
            x = off * gpu::rsqrt(gpu::mean(gpu::square(off), {0, 2, 3}) + norm_eps) * per_channel(layer.norm->weight) + per_channel(layer.norm->bias);
        }
        if (layer.leaky) x = gpu::maximum(x, slope * x);
    }
    return x;
}

int PatchDiscriminator::least_side(const DiscriminatorConfig& config) { return 3 << config.layers; }

Tensor hinge_loss(const Tensor& real, const Tensor& made) {
    return 0.5 * (gpu::mean(gpu::maximum(1.0 - real, 0.0)) + gpu::mean(gpu::maximum(1.0 + made, 0.0)));
}

Tensor generator_loss(const Tensor& made) { return -gpu::mean(made); }

}  // namespace nodes
