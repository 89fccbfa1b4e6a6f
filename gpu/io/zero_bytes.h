// Bytes that read as zero and take no memory: stands for weights where only shapes matter (benches, memory forecasts).
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "gpu/graph/tensor.h"

namespace gpu {

// A leaf of zeros over pages that the kernel shares; only copies of it (on a device) take memory.
// Throws Error{OutOfMemory} when the address space has no room.
Tensor empty_leaf(const Spec& spec);

}  // namespace gpu
