#include "gpu/run/host/scratch.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "gpu/base/error.h"

namespace gpu {
namespace {

struct Block {
    std::byte* data;
    std::size_t size;
};

struct Pool {
    std::mutex mutex;
    std::vector<Block> free;
    std::size_t bytes = 0;   // of all blocks, free and borrowed
    ~Pool() {
        for (const Block& block : free) std::free(block.data);
    }
};

Pool& pool() {
    static Pool instance;
    return instance;
}

}  // namespace

HostScratch::HostScratch(std::size_t bytes) {
    if (bytes == 0) return;
    Pool& p = pool();
    const std::lock_guard lock(p.mutex);
    // The largest that is free; where it is too small it makes way, so that the pool holds one block a borrower.
    const auto largest = std::max_element(p.free.begin(), p.free.end(), [](const Block& a, const Block& b) { return a.size < b.size; });
    if (largest != p.free.end()) {
        const Block block = *largest;
        p.free.erase(largest);
        if (block.size >= bytes) {
            data_ = block.data;
            size_ = block.size;
            return;
        }
        p.bytes -= block.size;
        std::free(block.data);
    }
    const std::size_t size = (bytes + 4095) / 4096 * 4096;
    data_ = static_cast<std::byte*>(std::aligned_alloc(64, size));
    check(data_ != nullptr, ErrorCode::OutOfMemory, "host kernel: expected {} bytes to work in, got none", size);
    size_ = size;
    p.bytes += size;
}

HostScratch::~HostScratch() {
    if (!data_) return;
    Pool& p = pool();
    const std::lock_guard lock(p.mutex);
    p.free.push_back({data_, size_});
}

std::byte* HostScratch::take(std::size_t bytes) {
    const std::size_t at = used_;
    used_ += padded(bytes);
    check(used_ <= size_, ErrorCode::Failure, "host kernel: expected at most {} bytes to work in, got {}", size_, used_);
    return data_ + at;
}

std::size_t host_scratch_bytes() {
    const std::lock_guard lock(pool().mutex);
    return pool().bytes;
}

void trim_host_scratch() {
    Pool& p = pool();
    const std::lock_guard lock(p.mutex);
    for (const Block& block : p.free) {
        p.bytes -= block.size;
        std::free(block.data);
    }
    p.free.clear();
}

}  // namespace gpu
