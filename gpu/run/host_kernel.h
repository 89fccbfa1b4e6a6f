// Kernels that run on the host's processor, in place on device memory that is host memory. One file each in run/host/.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gpu/graph/kernel.h"
#include "gpu/plan/program.h"

namespace gpu {

struct HostOperand {
    std::byte* data = nullptr;   // first element of the view
    Shape shape;
    Shape strides;               // elements
    Dtype dtype = Dtype::F32;
    std::optional<BlockFormat> blocks;   // `data` is then a block, and the first element is the one at `start` from there
    std::int64_t start = 0;
    StorageRef leaf;             // set when the operand is all of a leaf: a weight that may be packed and kept
};

struct HostCall {
    const Kernel& kernel;
    std::vector<HostOperand> in;             // the kernel's host inputs
    HostOperand out;
    std::vector<PostOp> post_ops;            // operand: index into post_operands
    std::vector<HostOperand> post_operands;
    std::shared_ptr<void>& state;            // kept with the step: what a kernel makes once for its shapes
    std::uint64_t room = 0;                  // bytes of memory that copies of weights may take beside those that are there
};

using HostKernel = void (*)(const HostCall&);

// Throws Error{Failure} for a name that no file in run/host/ has.
HostKernel host_kernel(const std::string& name);

// Bytes of the copy of its weight (input 1, all of a leaf; its data is not looked at) that a host kernel makes for data `x` and
// result `y`, and keeps with the leaf; 0 where it reads the weight as it lies.
std::uint64_t kept_weight_bytes(const Kernel& kernel, const HostOperand& weight, const Shape& x, const Shape& y);

// Yardsticks for benches: oneDNN alone, a convolution in the best of its layouts (median of `repeats`), a product and a plain copy
// (best of them: what the machine reaches).
struct ConvGeometry;
enum class ConvPass { Forward, InputGrad, WeightGrad };
double onednn_conv_seconds(ConvPass pass, const ConvGeometry& geometry, const Shape& x, const Shape& weight, const Shape& y, int repeats);
double onednn_matmul_seconds(std::int64_t m, std::int64_t k, std::int64_t n, int repeats);
double copy_seconds(std::size_t bytes, int repeats);

}  // namespace gpu
