// The kernels that the isa tier compiles: every variant of every kernel op, and generated kernels of typical graphs.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "gpu/graph/kernel.h"
#include "gpu/graph/tensor.h"
#include "tests/isa/null_device.h"

namespace tests {

struct Subject {
    std::string name;
    std::function<gpu::Tensor()> make;
};
std::vector<Subject> subjects();

struct CompiledStep {
    std::string name;          // "matmul f16 (coop_128x128)"
    Compiled code;
    std::string failure;       // of glslang or the driver
    bool wants_matrix = false, wants_packed = false;   // instructions
    int wave = 64;
    std::array<std::uint32_t, 3> groups{1, 1, 1};
    std::vector<std::uint32_t> constants;
};

gpu::DeviceTraits traits_of(const NullDevice& device, const std::string& family);

// One step of `y` computed by `variant` of its kernel op (empty: the default); the step that has the op, or the first one.
CompiledStep compile(const NullDevice& device, const std::string& family, const gpu::Tensor& y, const std::string& variant);

// All steps of `y` computed by it.
std::vector<CompiledStep> compile_steps(const NullDevice& device, const std::string& family, const gpu::Tensor& y, const std::string& variant);

// All of them, two at a time.
std::vector<CompiledStep> compile_all(const NullDevice& device, const std::string& family);

// Without data to speak of: all zeros.
gpu::Tensor blank(gpu::Dtype dtype, const gpu::Shape& shape);

}  // namespace tests
