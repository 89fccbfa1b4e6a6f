#include "gpu/io/zero_bytes.h"

#include <sys/mman.h>

#include "gpu/base/error.h"

namespace gpu {

Tensor empty_leaf(const Spec& spec) {
    const std::size_t bytes = static_cast<std::size_t>(element_count(spec.shape)) * size_of(spec.dtype);
    if (bytes == 0) return leaf(spec, {}, nullptr);
    void* const pages = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    check(pages != MAP_FAILED, ErrorCode::OutOfMemory, "empty leaf {}: expected {} bytes of address space, got none", to_string(spec), bytes);
    const std::shared_ptr<const void> owner(pages, [bytes](const void* data) { munmap(const_cast<void*>(data), bytes); });
    return leaf(spec, {static_cast<const std::byte*>(pages), bytes}, owner);
}

}  // namespace gpu
