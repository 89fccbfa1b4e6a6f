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
    StorageRef leaf;             // set when the operand is a whole leaf as it lies: a weight that may be packed and kept
};

struct HostCall {
    const Kernel& kernel;
    std::vector<HostOperand> in;             // the kernel's host inputs
    HostOperand out;
    std::vector<PostOp> post_ops;            // operand: index into post_operands
    std::vector<HostOperand> post_operands;
    std::shared_ptr<void>& state;            // kept with the step: what a kernel makes once for its shapes
};

using HostKernel = void (*)(const HostCall&);

// Throws Error{Failure} for a name that no file in run/host/ has.
HostKernel host_kernel(const std::string& name);

// A measured peak of the host: f32 GFLOP/s of a large matrix product, GB/s of a large copy. For benches.
struct HostPeak {
    double gflops = 0, gbytes = 0;
};
HostPeak measure_host_peak();

}  // namespace gpu
