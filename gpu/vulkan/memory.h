// Device memory in blocks that are cut into slices. Private to gpu/vulkan.
// Small slices share 64 MiB blocks, large ones get blocks of their own size, which stay when they are free and are cut
// again by later requests: on CPU-type devices fresh memory costs page faults, and arenas come and go all the time.
// On unified memory every block counts towards the budget; else those of Domain::Device alone, which the host never maps.
#pragma once

#include <vulkan/vulkan.h>

#include <atomic>
#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <tuple>
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
    std::span<std::byte> pages;  // our own, lent to the driver; empty where the memory is the driver's
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
    bool counted = true;    // towards the device's budget
    bool mapped = true;
    std::vector<std::unique_ptr<MemoryBlock>> blocks;
    std::set<FreeRange> ranges;
};

class Memory {
public:
    Memory(VkPhysicalDevice physical, VkDevice device, const Caps& caps);
    ~Memory();   // frees every block; the device must be idle

    // Empty when the budget or the driver has no more.
    std::optional<MemorySlice> allocate(std::uint64_t size, Domain domain);
    // The slice becomes free once the timeline reaches `value`.
    void release(const MemorySlice& slice, std::uint64_t used_bytes, Domain domain, std::uint64_t value);
    // Frees what was released for values up to `completed`.
    void collect(std::uint64_t completed);
    void trim();

    void count_used(std::uint64_t bytes, Domain domain);
    // Bytes that others hold on the device's behalf; negative gives them back.
    void adopt(std::int64_t bytes);
    std::uint64_t budget() const;
    void set_budget(std::uint64_t bytes) { set_budget_ = bytes; }
    std::uint64_t own_budget() const { return set_budget_; }   // 0: none was set
    Device::MemoryUse use() const;
    void reset_peak();

private:
    std::optional<MemorySlice> take(MemoryPool& pool, std::uint64_t size);
    MemoryBlock* add_block(MemoryPool& pool, std::uint64_t size);
    std::unique_ptr<MemoryBlock> create_block(MemoryPool& pool, std::uint64_t bytes);
    bool make_memory(const MemoryPool& pool, std::uint64_t bytes, bool lent, MemoryBlock& block) const;
    void free_memory(MemoryBlock& block) const;
    bool has_room(const MemoryPool& pool, std::uint64_t bytes) const;
    bool counts(Domain domain) const { return unified_ || domain == Domain::Device; }
    void destroy_block(MemoryBlock& block);
    void give_back(const MemorySlice& slice);
    std::uint32_t type_for(Domain domain) const;

    VkPhysicalDevice physical_;
    VkDevice device_;
    VkPhysicalDeviceMemoryProperties properties_;
    std::uint32_t allowed_types_ = ~0u;   // bits of the memory types that our buffers may use
    std::uint64_t max_block_;
    std::uint64_t host_limit_ = ~0ull;   // most bytes held in all, where the driver itself doesn't know
    std::uint64_t heap_bytes_;           // of the device
    bool asks_driver_;                   // for the budget
    std::atomic<std::uint64_t> set_budget_ = 0;
    Quirks quirks_;
    bool unified_;
    bool borrows_pages_;                 // physical.h: borrows_host_pages

    mutable std::mutex mutex_;
    std::map<std::tuple<std::uint32_t, bool, bool>, MemoryPool> pools_;   // by type, large, counted
    struct Released {
        MemorySlice slice;
        std::uint64_t value;
    };
    std::deque<Released> released_;
    std::uint64_t next_serial_ = 0;
    Device::MemoryUse use_;
    std::uint64_t host_reserved_ = 0;   // blocks that do not count
};

}  // namespace gpu
