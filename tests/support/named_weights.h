// Weights that are a formula of their names, as tests/golden/unet/make_unet.py has them: small models without files.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "gpu/nn/scope.h"

namespace tests {

// Numbers in -1..1 without a pattern.
inline std::vector<float> draw(std::int64_t count, double seed) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double value = std::sin(static_cast<double>(i) * 12.9898 + seed * 78.233) * 43758.5453;
        values[i] = static_cast<float>(2 * (value - std::floor(value)) - 1);
    }
    return values;
}

inline gpu::Tensor draw_tensor(const gpu::Shape& shape, double seed) { return gpu::tensor(draw(gpu::element_count(shape), seed), shape); }

inline gpu::Weight named_weight(const std::string& name, const gpu::Shape& shape) {
    int seed = 0;
    for (const char letter : name) seed = (seed * 31 + letter) % 997;
    const auto values = std::make_shared<std::vector<float>>(draw(gpu::element_count(shape), seed));
    const double fan = static_cast<double>(gpu::element_count(shape)) / static_cast<double>(shape[0]);
    for (float& value : *values) {
        if (name.ends_with("bias"))
            value = static_cast<float>(value * 0.1);
        else if (shape.size() == 1)
            value = static_cast<float>(1 + value * 0.2);
        else
            value = static_cast<float>(value * (1.4 / std::sqrt(fan)));
    }
    return {{.name = name, .dtype = gpu::Dtype::F32, .shape = shape, .bytes = std::as_bytes(std::span(*values))}, values, "formula"};
}

// All that a model asked its scope for.
inline gpu::Weights named_weights(const gpu::Scope& scope) {
    gpu::Weights weights;
    for (const gpu::Scope::Asked& asked : scope.asked()) weights.emplace(asked.name, named_weight(asked.name, asked.shape));
    return weights;
}

}  // namespace tests
