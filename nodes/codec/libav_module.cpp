#include "nodes/codec/libav_module.h"

#include "nodes/codec/module.h"

namespace nodes::libav {

const Functions& functions() {
    static const Functions loaded = [] {
        const Module module("heddle-libav");
        return Functions{module.function<OpenFunction>("heddle_libav_open"),
                         module.function<EncodeFunction>("heddle_libav_encode")};
    }();
    return loaded;
}

gpu::ErrorCode code_of(Status status, gpu::ErrorCode unsupported) {
    switch (status) {
        case Status::BadFile: return gpu::ErrorCode::BadFile;
        case Status::OutOfMemory: return gpu::ErrorCode::OutOfMemory;
        case Status::Io: return gpu::ErrorCode::Io;
        case Status::Unsupported: return unsupported;
        case Status::Done:
        case Status::End: break;
    }
    return gpu::ErrorCode::Failure;
}

}  // namespace nodes::libav
