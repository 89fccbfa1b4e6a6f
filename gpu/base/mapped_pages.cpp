#include "gpu/base/mapped_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <iterator>
#include <map>
#include <mutex>

namespace gpu {
namespace {

std::uintptr_t address(const std::byte* at) { return reinterpret_cast<std::uintptr_t>(at); }

struct Mappings {
    std::mutex mutex;
    std::map<std::uintptr_t, std::uintptr_t> ends;   // by beginning
};

Mappings& mappings() {
    static Mappings all;
    return all;
}

}  // namespace

void note_mapping(std::span<const std::byte> bytes) {
    if (bytes.empty()) return;
    const std::lock_guard lock(mappings().mutex);
    mappings().ends[address(bytes.data())] = address(bytes.data()) + bytes.size();
}

void forget_mapping(std::span<const std::byte> bytes) {
    const std::lock_guard lock(mappings().mutex);
    mappings().ends.erase(address(bytes.data()));
}

std::size_t let_go(std::span<const std::byte> bytes) {
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    const std::uintptr_t begin = address(bytes.data()), end = begin + bytes.size();
    const std::uintptr_t first = (begin + page - 1) / page * page, last = end / page * page;
    if (last <= first) return 0;
    const std::lock_guard lock(mappings().mutex);   // the file stays mapped meanwhile
    const auto above = mappings().ends.upper_bound(begin);
    if (above == mappings().ends.begin() || std::prev(above)->second < end) return 0;
    return madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED) == 0 ? last - first : 0;
}

}  // namespace gpu
