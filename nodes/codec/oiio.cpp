#include "nodes/codec/oiio.h"

#include "gpu/base/error.h"
#include "nodes/codec/module.h"

namespace nodes::oiio {
namespace {

struct Functions {
    ReadFunction* read = nullptr;
    EncodeFunction* encode = nullptr;
};

gpu::ErrorCode code_of(Status status) {
    switch (status) {
        case Status::BadFile: return gpu::ErrorCode::BadFile;
        case Status::OutOfMemory: return gpu::ErrorCode::OutOfMemory;
        case Status::Io: return gpu::ErrorCode::Io;
        case Status::Done: break;
    }
    return gpu::ErrorCode::Failure;
}

const Functions& functions() {
    static const Functions loaded = [] {
        const Module module("heddle-oiio");
        return Functions{module.function<ReadFunction>("heddle_oiio_read"),
                         module.function<EncodeFunction>("heddle_oiio_encode")};
    }();
    return loaded;
}

}  // namespace

Picture read(const std::string& path, bool header_only) {
    Picture picture;
    functions().read(path.c_str(), header_only, &picture);
    gpu::check(picture.status == Status::Done, code_of(picture.status), "read picture {}: {}", path, picture.error);
    return picture;
}

std::vector<std::byte> encode(const std::string& path, Encode job) {
    functions().encode(&job);
    gpu::check(job.status == Status::Done, code_of(job.status), "save picture {}: {}", path, job.error);
    return std::move(job.bytes);
}

}  // namespace nodes::oiio
