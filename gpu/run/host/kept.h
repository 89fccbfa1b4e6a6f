// Copies of weights as host kernels want them, made once and kept with the leaf.
#pragma once

#include <functional>
#include <string>

#include "gpu/graph/storage.h"
#include "gpu/run/leaf.h"

namespace gpu {

// Bytes of our own, in large pages where the system has them: a packed weight is read from end to end in each call.
struct KeptBytes final : HostMade {
    // Throws Error{OutOfMemory}.
    explicit KeptBytes(std::uint64_t size);
    ~KeptBytes() override;
    KeptBytes(const KeptBytes&) = delete;
    KeptBytes& operator=(const KeptBytes&) = delete;

    std::byte* data = nullptr;
};

// What `leaf` keeps under `key`; made of `bytes` by `fill` where there is none yet.
std::shared_ptr<const KeptBytes> kept_copy(const StorageRef& leaf, const std::string& key, std::uint64_t bytes, const std::function<void(std::byte*)>& fill);
// Whether it is there.
bool is_kept(const StorageRef& leaf, const std::string& key);

}  // namespace gpu
