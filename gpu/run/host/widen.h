// Host kernels compute in F32. Operands of other types (F16, BF16, blocks of quantised weights) are converted piece by
// piece in scratch memory of a bounded size; a weight lies in memory a second time as F32 only where there is room for it.
#pragma once

#include "gpu/run/host_kernel.h"

namespace gpu {

// An axis along which a kernel's work can be cut: the result's, and for every input its own or -1 where all of it is
// needed for each piece.
struct HostSplit {
    int out = 0;
    std::vector<int> in;
    bool dense = false;   // the kernel knows dense tensors only: pieces are copied out of what is cut along this axis, and back
};

// True when nothing has to be converted.
bool is_f32(const HostCall& call);

// True for F32 as it is.
bool is_plain(const HostOperand& operand);

// All elements of a dense operand as F32, lying in the same order.
void widen_all(const HostOperand& operand, float* to);

// Runs `kernel`, which knows F32 only, on the call as it is, where all that must be converted is a weight that is a whole leaf
// (input 1) and small operands of post-operations: the kernel converts the weight once and keeps it with the leaf, as
// HostPrimitive does. False, and nothing is done, where that is not so or there is no room for the copy.
bool run_with_kept_weight(const HostCall& call, HostKernel kernel);

// Runs `kernel`, which knows F32 only, on pieces of the call: cut along the axes of `splits`, the outermost loop first,
// where that is needed to keep the converted operands small. An input is converted once for each piece of the last split
// that cuts it.
void run_widened(const HostCall& call, HostKernel kernel, const std::vector<HostSplit>& splits);

// `count` elements between F32 and a 16-bit type.
void widen(Dtype from, const std::byte* source, float* target, std::size_t count);
void narrow(Dtype to, const float* source, std::byte* target, std::size_t count);

}  // namespace gpu
