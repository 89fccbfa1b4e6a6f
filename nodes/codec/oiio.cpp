#include "nodes/codec/oiio.h"

#include <dlfcn.h>

#include <filesystem>

#include "gpu/base/error.h"

namespace nodes::oiio {
namespace {

struct Module {
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

// Beside the program as it is built, or in its library folder as it is installed. Never unloaded.
Module load() {
    const auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    const std::filesystem::path places[] = {folder / "heddle-oiio.so", folder / HEDDLE_MODULE_FOLDER / "heddle-oiio.so"};
    std::string reason = "no file of that name";
    for (const auto& place : places) {
        if (!std::filesystem::exists(place)) continue;
        if (void* library = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL)) {
            const Module module{reinterpret_cast<ReadFunction*>(dlsym(library, "heddle_oiio_read")),
                                reinterpret_cast<EncodeFunction*>(dlsym(library, "heddle_oiio_encode"))};
            if (module.read && module.encode) return module;
        }
        if (const char* error = dlerror()) reason = error;
    }
    throw gpu::Error(gpu::ErrorCode::Failure, "picture files: expected the module {} or {}, got {}", places[0].string(),
                     places[1].lexically_normal().string(), reason);
}

const Module& module() {
    static const Module loaded = load();
    return loaded;
}

}  // namespace

Picture read(const std::string& path, bool header_only) {
    Picture picture;
    module().read(path.c_str(), header_only, &picture);
    gpu::check(picture.status == Status::Done, code_of(picture.status), "read picture {}: {}", path, picture.error);
    return picture;
}

std::vector<std::byte> encode(const std::string& path, Encode job) {
    module().encode(&job);
    gpu::check(job.status == Status::Done, code_of(job.status), "save picture {}: {}", path, job.error);
    return std::move(job.bytes);
}

}  // namespace nodes::oiio
