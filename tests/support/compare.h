// How far results lie from what they should be.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "gpu/run/evaluate.h"

namespace tests {

// |a - b| / |b|; infinite where the sizes differ.
inline double relative_error(const std::vector<float>& a, const std::vector<float>& b) {
    if (a.size() != b.size()) return INFINITY;
    double error = 0, size = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        error += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
        size += double(b[i]) * b[i];
    }
    return std::sqrt(error / size);
}

inline double relative_error(const gpu::Tensor& a, const gpu::Tensor& b) {
    if (!a || !b || a.shape() != b.shape()) return INFINITY;
    return relative_error(gpu::to_floats(a), gpu::to_floats(b));
}

inline double largest_difference(const gpu::Tensor& a, const gpu::Tensor& b) {
    if (!a || !b || a.shape() != b.shape()) return INFINITY;
    const std::vector<float> x = gpu::to_floats(a), y = gpu::to_floats(b);
    double largest = 0;
    for (std::size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::abs(double(x[i]) - y[i]));
    return largest;
}

}  // namespace tests
