// Working memory of host kernels: borrowed for one call, kept for the next, shared by all. Not thread-local and not kept
// with each step: a plan of a hundred convolutions would otherwise hold a hundred buffers of which one is in use.
#pragma once

#include <cstddef>

namespace gpu {

class HostScratch {
public:
    // Borrows at least `bytes`, aligned to 64. Throws Error{OutOfMemory}.
    explicit HostScratch(std::size_t bytes);
    ~HostScratch();
    HostScratch(const HostScratch&) = delete;
    HostScratch& operator=(const HostScratch&) = delete;

    // The next `bytes` of it. Takes may add up to what padded() gives for each of them.
    std::byte* take(std::size_t bytes);
    static std::size_t padded(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

private:
    std::byte* data_ = nullptr;
    std::size_t size_ = 0, used_ = 0;
};

// Bytes that the pool holds, borrowed or not; gives back those that are not.
std::size_t host_scratch_bytes();
void trim_host_scratch();

}  // namespace gpu
