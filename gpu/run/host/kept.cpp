#include "gpu/run/host/kept.h"

#include <sys/mman.h>

#include <cstdlib>

#include "gpu/base/error.h"
#include "gpu/base/mapped_pages.h"

namespace gpu {

KeptBytes::KeptBytes(std::uint64_t size) {
    constexpr std::size_t page = std::size_t{2} << 20;
    bytes = size;
    const std::size_t whole = size >= page ? (size + page - 1) / page * page : (size + 63) / 64 * 64;
    data = static_cast<std::byte*>(std::aligned_alloc(size >= page ? page : 64, whole));
    check(data != nullptr, ErrorCode::OutOfMemory, "host kernel: expected {} bytes for a packed weight, got none", size);
#ifdef MADV_HUGEPAGE
    if (size >= page) madvise(data, whole, MADV_HUGEPAGE);
#endif
}

KeptBytes::~KeptBytes() { std::free(data); }

std::shared_ptr<const KeptBytes> kept_copy(const StorageRef& leaf, const std::string& key, std::uint64_t bytes, const std::function<void(std::byte*)>& fill) {
    const std::lock_guard lock(leaf->mutex);
    std::shared_ptr<void>& kept = leaf->derived[key];
    if (!kept) {
        auto made = std::make_shared<KeptBytes>(bytes);
        fill(made->data);
        let_go(leaf->host);
        kept = std::static_pointer_cast<HostMade>(made);
    }
    return std::static_pointer_cast<const KeptBytes>(std::static_pointer_cast<HostMade>(kept));
}

bool is_kept(const StorageRef& leaf, const std::string& key) {
    const std::lock_guard lock(leaf->mutex);
    const auto at = leaf->derived.find(key);
    return at != leaf->derived.end() && at->second;
}

}  // namespace gpu
