// Host kernels compute in F32. Operands of other types (F16, BF16, blocks of quantised weights) are converted piece by
// piece in scratch memory of a bounded size, so that no weight ever lies in memory a second time as F32.
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

// Runs `kernel`, which knows F32 only, on pieces of the call: cut along the axes of `splits`, the outermost loop first,
// where that is needed to keep the converted operands small. An input is converted once for each piece of the last split
// that cuts it.
void run_widened(const HostCall& call, HostKernel kernel, const std::vector<HostSplit>& splits);

// `count` elements between F32 and a 16-bit type.
void widen(Dtype from, const std::byte* source, float* target, std::size_t count);
void narrow(Dtype to, const float* source, std::byte* target, std::size_t count);

}  // namespace gpu
