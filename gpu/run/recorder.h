// The third kind of step beside shaders and host kernels: a library that records commands of its own into the list.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gpu/graph/kernel.h"
#include "gpu/vulkan/device.h"

namespace gpu {

struct RecordOperand {
    const Buffer* buffer = nullptr;
    std::uint64_t offset = 0;   // bytes, of the first element
    Shape shape;                // dense, in the order that the kernel asked for
};

struct RecordCall {
    Device& device;
    Commands& commands;
    const Kernel& kernel;
    std::vector<RecordOperand> in;
    RecordOperand out;
    const std::string& label;
};

// Inputs are visible when it is called; it leaves its result to the barrier of whoever reads it.
using Recorder = void (*)(const RecordCall&);

// Throws Error{Failure} for a name that recorder.cpp has not.
Recorder recorder(const std::string& name);

}  // namespace gpu
