// Device memory in blocks that are cut into slices. Private to gpu/vulkan.
// Small slices share 64 MiB blocks, large ones get blocks of their own size, which stay when they are free and are cut
// again by later requests: on CPU-type devices fresh memory costs page faults, and arenas come and go all the time.
#pragma once

#include <vulkan/vulkan.h>

#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "gpu/vulkan/buffer.h"
#include "gpu/vulkan/device.h"
#include "gpu/vulkan/quirks.h"

namespace gpu {

struct MemoryPool;

// One VkDeviceMemory with one VkBuffer over all of it.
struct MemoryBlock {
    VkDeviceMemory memory = VK_NULL_HANDLE;
    VkBuffer buffer = VK_NULL_HANDLE;
    std::uint64_t size = 0;      // usable bytes
    std::uint64_t base = 0;      // where they start, so that addresses are aligned
    std::uint64_t address = 0;   // of `base`
    std::byte* mapped = nullptr; // of `base`
    std::uint64_t serial = 0;
    MemoryPool* pool = nullptr;
    std::map<std::uint64_t, std::uint64_t> free;   // offset -> bytes, coalesced
};

struct MemorySlice {
    MemoryBlock* block = nullptr;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
};

// The blocks of one memory type and size class, with their free ranges by size, then age, then offset.
struct MemoryPool {
    struct FreeRange {
        std::uint64_t size, serial, offset;
        MemoryBlock* block;
        auto operator<=>(const FreeRange&) const = default;
    };
    std::uint32_t type = 0;
    bool large = false;
    std::vector<std::unique_ptr<MemoryBlock>> blocks;
    std::set<FreeRange> ranges;
};

class Memory {
public:
    Memory(VkPhysicalDevice physical, VkDevice device, const Caps& caps);
    ~Memory();   // frees every block; the device must be idle

    // Empty when the driver has no more.
    std::optional<MemorySlice> allocate(std::uint64_t size, Domain domain);
    // The slice becomes free once the timeline reaches `value`.
    void release(const MemorySlice& slice, std::uint64_t used_bytes, std::uint64_t value);
    // Frees what was released for values up to `completed`.
    void collect(std::uint64_t completed);
    void trim();

    void count_used(std::uint64_t bytes);
    Device::MemoryUse use() const;
    void reset_peak();

private:
    std::optional<MemorySlice> take(MemoryPool& pool, std::uint64_t size);
    MemoryBlock* add_block(MemoryPool& pool, std::uint64_t size);
    std::unique_ptr<MemoryBlock> create_block(std::uint32_t type, std::uint64_t bytes);
    void destroy_block(MemoryBlock& block);
    void give_back(const MemorySlice& slice);
    std::uint32_t type_for(Domain domain) const;

    VkDevice device_;
    VkPhysicalDeviceMemoryProperties properties_;
    std::uint32_t allowed_types_ = ~0u;   // bits of the memory types that our buffers may use
    std::uint64_t max_block_;
    std::uint64_t limit_;   // most bytes held, where the driver itself doesn't know
    Quirks quirks_;
    bool unified_;

    mutable std::mutex mutex_;
    std::map<std::pair<std::uint32_t, bool>, MemoryPool> pools_;
    struct Released {
        MemorySlice slice;
        std::uint64_t value;
    };
    std::deque<Released> released_;
    std::uint64_t next_serial_ = 0;
    Device::MemoryUse use_;
};

}  // namespace gpu
