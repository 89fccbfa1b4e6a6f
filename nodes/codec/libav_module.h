// Loads the module of FFmpeg's libraries (libav/module.h) on first use.
#pragma once

#include "gpu/base/error.h"
#include "nodes/codec/libav/module.h"

namespace nodes::libav {

struct Functions {
    OpenFunction* open = nullptr;
    EncodeFunction* encode = nullptr;
};

// Throws Error{Failure} when the module can not be loaded.
const Functions& functions();

// What an answer other than Done or End is called outside the module; `unsupported` stands for Status::Unsupported.
gpu::ErrorCode code_of(Status status, gpu::ErrorCode unsupported);

}  // namespace nodes::libav
