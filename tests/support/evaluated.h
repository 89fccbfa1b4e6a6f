// Tensors computed by the current device, and what that device has.
#pragma once

#include <vector>

#include "gpu/base/switches.h"
#include "gpu/graph/tensor.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/oracle.h"
#include "gpu/run/traits.h"
#include "gpu/vulkan/device.h"

namespace tests {

// Whether products and the like are computed by the processor's own kernels.
inline bool host_kernels() { return gpu::traits_of(gpu::Device::current().caps()).host_kernels && gpu::switches().host; }

inline std::vector<double> values_of(const gpu::Tensor& y) {
    gpu::evaluate({y});
    return gpu::read_doubles(y.value());
}

// How far `y` is from its definition, or from that of `same`, in double precision: relative L2.
inline double oracle_error(const gpu::Tensor& y, const gpu::Tensor& same) {
    const std::vector<double> expected = gpu::oracle(same);
    return gpu::relative_error(values_of(y), expected);
}
inline double oracle_error(const gpu::Tensor& y) { return oracle_error(y, y); }

}  // namespace tests
