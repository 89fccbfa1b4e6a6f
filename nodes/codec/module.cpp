#include "nodes/codec/module.h"

#include <dlfcn.h>

#include <filesystem>
#include <string>

#include "gpu/base/error.h"

namespace nodes {

Module::Module(const char* name) : name_(name) {
    const std::string file = std::string(name) + ".so";
    const auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    const std::filesystem::path places[] = {folder / file, folder / HEDDLE_MODULE_FOLDER / file};
    std::string reason = "no file of that name";
    for (const auto& place : places) {
        if (!std::filesystem::exists(place)) continue;
        library_ = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (library_) return;
        if (const char* error = dlerror()) reason = error;
    }
    throw gpu::Error(gpu::ErrorCode::Failure, "load a part of Heddle: expected the module {} or {}, got {}",
                     places[0].string(), places[1].lexically_normal().string(), reason);
}

void* Module::symbol(const char* name) const {
    void* const found = dlsym(library_, name);
    gpu::check(found, gpu::ErrorCode::Failure, "load a part of Heddle: expected {} in the module {}, it is not there",
               name, name_);
    return found;
}

}  // namespace nodes
