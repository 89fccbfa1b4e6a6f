// The plain description of a kernel op's dispatch, filled by Op::lower and read by the planner. No Vulkan here, so that
// placing, fusing and memory planning compile and are tested without a device.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gpu/graph/blocks.h"
#include "gpu/graph/storage.h"

namespace gpu {

// What the planner may know of a device.
struct DeviceTraits {
    bool host_kernels = false;         // memory is host memory: host kernels may run in place
    bool storage16 = true;             // f16 and bf16 in buffers; without it shaders read and write parts of words
    bool storage8 = true;              // the same for U8 and Bool
    // Invocations of a workgroup of generated kernels, and elements that each walks over. A software device wants one
    // vector of lanes and a long loop (4M SiLU + add: 128 lanes of one element 20 ms of processor time, 8 lanes 6 ms).
    std::uint32_t lanes = 128;
    std::uint32_t elements_per_lane = 4;
    std::uint32_t max_push_bytes = 128;
    std::uint32_t max_groups = 65535;
    std::uint32_t max_shared_bytes = 32768;
    bool fft = false;                  // there is a library for Fourier transforms
    std::uint32_t max_lanes = 256;     // invocations of a workgroup at most
    std::uint32_t subgroup_size = 1;   // as kernels get it; 1: nothing is known of subgroups
    bool software = false;             // the processor runs the shaders: small kernels that are cheap to compile
    bool float16 = false;              // f16 arithmetic, and f16 in shared memory
    bool half_products = false;        // the user lets matrix products sum a few terms in f16 (HEDDLE_FAST=half)
    bool subgroup_shuffle = false;
    bool cooperative_matrix = false;   // 16 x 16 x 16 products of f16 with f32 sums, in subgroups of coop_subgroup
    std::uint32_t coop_subgroup = 32;  // lanes of a subgroup where a kernel depends on their number

    friend bool operator==(const DeviceTraits&, const DeviceTraits&) = default;
};

struct Kernel {
    std::string variant;                       // which of Op::variants(); empty where there is only one
    std::string shader;                        // shaders/<shader>.comp
    std::vector<std::string> defines;
    std::vector<std::uint32_t> constants;      // specialisation constants
    struct Input {
        int index = 0;                         // which of the op's inputs
        Order order;                           // it must lie densely in this order; empty: any strides, which are pushed
        // The kernel reads it through LOADn alone (a host kernel: as HostOperand says), so that weights in blocks or in 16
        // bits are read where they lie; otherwise they are unpacked into a buffer first. A shader may want blocks in an
        // order of their own, and is told by a define.
        bool blocks = false;
        Order block_order;
        std::string block_define;
        // How often the shader loads each element, through LOADn, LOAD4_n and WORDS8_n alone, so that a chain of elementwise ops
        // may be computed then (common/fused.glsl); 0: by other means too, nothing may.
        double loads = 0;
    };
    // Push block: one address per input in this order, the output's address, `push`, the strides of inputs that take any,
    // then what the epilogue adds.
    std::vector<Input> inputs;
    // The shader loads neighbours together and is told of each input the axis along which elements lie side by side (AXIS0,
    // -1: none) and how many of them may be loaded at once (VECTOR0 = 8, 4, 2, 1: such a group is aligned, and wholly
    // inside or outside; LOAD4_0 and, for halves, WORDS8_0 of common/vectors.glsl then do it), and of F16 as such (HALVES0). Costs a pipeline for each layout.
    bool vectors = false;
    std::vector<std::uint32_t> push;
    // Instead of a shader: every input is copied to its place along an axis of the output (concat).
    struct Part {
        int input = 0;
        int axis = 0;
        std::int64_t start = 0;
    };
    std::vector<Part> parts;
    // Instead of a shader: the op's value is its input, the U8 bytes of these blocks, read as elements (dequantize).
    std::optional<BlockFormat> blocks;
    // Instead of a shader: a library records commands of its own (run/recorder.h). Inputs and output lie densely.
    std::string recorder;
    Order out_order;                           // empty: the planner chooses (parts only)
    std::array<std::uint32_t, 3> groups{1, 1, 1};
    std::uint32_t subgroup_size = 0;           // the shader needs subgroups of this many lanes; 0: any
    bool epilogue = false;                     // the shader passes each result through EPILOGUE(value, index), the host
                                               // kernel does post-operations

    std::string host;                          // name of a host kernel that serves too; empty: none
    std::vector<std::int64_t> params;          // for the host kernel or the recorder
    std::vector<Input> host_inputs;            // orders that the host kernel wants; empty order: any strides
    bool host_any_float = false;               // the host kernel takes F16 and BF16 as well as F32, mixed as they come
    double flop = 0;                           // for benches and profiles
};

// Fluent filling of a Kernel: k.shader("matmul").in(0).in(1).out().push(m, n).groups(...).
class KernelBuilder {
public:
    KernelBuilder(const Specs& in, const Spec& out, const DeviceTraits& traits, std::string variant = {})
        : in_(in), out_(out), traits_(traits) {
        kernel_.variant = std::move(variant);
    }

    const std::string& variant() const { return kernel_.variant; }
    int input_count() const { return static_cast<int>(in_.size()); }
    const Spec& in_spec(int index) const { return in_[index]; }
    const Spec& out_spec() const { return out_; }
    const DeviceTraits& traits() const { return traits_; }

    KernelBuilder& shader(std::string name) { return kernel_.shader = std::move(name), *this; }
    KernelBuilder& define(std::string text) { return kernel_.defines.push_back(std::move(text)), *this; }
    KernelBuilder& constant(std::int64_t value) { return kernel_.constants.push_back(static_cast<std::uint32_t>(value)), *this; }
    KernelBuilder& in(int index, Order order) { return kernel_.inputs.push_back({index, std::move(order)}), *this; }
    // After in() or host_in(): that input may lie in blocks.
    KernelBuilder& in_blocks(Order order = {}, std::string define = {}) {
        Kernel::Input& input = kernel_.inputs.back();
        input.blocks = true;
        input.block_order = order.empty() ? input.order : std::move(order);
        input.block_define = std::move(define);
        return *this;
    }
    KernelBuilder& host_in_blocks() {
        Kernel::Input& input = kernel_.host_inputs.back();
        input.blocks = true;
        input.block_order = input.order;
        return *this;
    }
    // After in().
    KernelBuilder& with_prologue(double loads) { return kernel_.inputs.back().loads = loads, *this; }
    KernelBuilder& host_any_float() { return kernel_.host_any_float = true, *this; }
    KernelBuilder& out(Order order) { return kernel_.out_order = std::move(order), *this; }
    KernelBuilder& push(std::int64_t value) { return kernel_.push.push_back(static_cast<std::uint32_t>(value)), *this; }
    KernelBuilder& push_float(float value) { return kernel_.push.push_back(std::bit_cast<std::uint32_t>(value)), *this; }
    KernelBuilder& part(int input, int axis, std::int64_t start) { return kernel_.parts.push_back({input, axis, start}), *this; }
    KernelBuilder& groups(std::int64_t x, std::int64_t y = 1, std::int64_t z = 1) {
        kernel_.groups = {static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y), static_cast<std::uint32_t>(z)};
        return *this;
    }
    // One walk over `count` elements, BLOCK of them a workgroup, LANES side by side (shaders/common/elements.glsl). Pushes count.
    KernelBuilder& elements(std::int64_t count) {
        const std::int64_t block = std::int64_t{traits_.lanes} * traits_.elements_per_lane, all = (count + block - 1) / block;
        const std::int64_t columns = std::min<std::int64_t>(all, traits_.max_groups);
        define("LANES=" + std::to_string(traits_.lanes)).define("BLOCK=" + std::to_string(block)).push(count);
        return groups(columns, all == 0 ? 0 : (all + columns - 1) / columns);
    }
    KernelBuilder& recorder(std::string name, std::vector<std::int64_t> params) {
        kernel_.recorder = std::move(name);
        kernel_.params = std::move(params);
        return *this;
    }
    KernelBuilder& with_vectors() { return kernel_.vectors = true, *this; }
    KernelBuilder& subgroups_of(std::uint32_t lanes) { return kernel_.subgroup_size = lanes, *this; }
    KernelBuilder& with_epilogue() { return kernel_.epilogue = true, *this; }
    KernelBuilder& host(std::string name, std::vector<std::int64_t> params = {}) {
        kernel_.host = std::move(name);
        kernel_.params = std::move(params);
        return *this;
    }
    KernelBuilder& host_in(int index, Order order) { return kernel_.host_inputs.push_back({index, std::move(order)}), *this; }
    KernelBuilder& flop(double count) { return kernel_.flop = count, *this; }

    Kernel& kernel() { return kernel_; }

private:
    const Specs& in_;
    const Spec& out_;
    const DeviceTraits& traits_;
    Kernel kernel_;
};

}  // namespace gpu
