#include "gpu/vulkan/memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "gpu/base/error.h"
#include "gpu/base/log.h"
#include "gpu/base/switches.h"
#include "gpu/vulkan/instance.h"
#include "gpu/vulkan/physical.h"

namespace gpu {
namespace {

constexpr std::uint64_t alignment = 256;
constexpr std::uint64_t small_block = 64ull << 20;       // less where the budget is small
constexpr std::uint64_t largest_small = 8ull << 20;
constexpr std::uint64_t large_step = 1ull << 20;

constexpr VkBufferUsageFlags buffer_usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                                            VK_BUFFER_USAGE_TRANSFER_DST_BIT |
                                            VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT;

std::uint64_t round_up(std::uint64_t value, std::uint64_t step) { return (value + step - 1) / step * step; }

constexpr std::uint64_t large_page = 2ull << 20;

VkBufferCreateInfo buffer_info(std::uint64_t bytes) {
    return {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
            .size = bytes,
            .usage = buffer_usage,
            .sharingMode = VK_SHARING_MODE_EXCLUSIVE};
}

// Memory that is not such a file's refuses this; it is freed in the ordinary way.
void remove_pages(std::byte* data, std::uint64_t bytes) {
    const std::uint64_t page = static_cast<std::uint64_t>(sysconf(_SC_PAGE_SIZE));
    const std::uint64_t start = round_up(reinterpret_cast<std::uintptr_t>(data), page);
    const std::uint64_t end = (reinterpret_cast<std::uintptr_t>(data) + bytes) / page * page;
    if (end > start) madvise(reinterpret_cast<void*>(start), end - start, MADV_REMOVE);
}

// Zeroed pages of this process, large ones where the system has them.
std::span<std::byte> map_pages(std::uint64_t bytes) {
    const std::uint64_t whole = round_up(bytes, large_page);
    void* const raw = mmap(nullptr, whole + large_page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (raw == MAP_FAILED) return {};
    std::byte* const start = static_cast<std::byte*>(raw);
    const std::uint64_t before = (large_page - reinterpret_cast<std::uintptr_t>(raw) % large_page) % large_page;
    if (before > 0) munmap(start, before);
    if (before < large_page) munmap(start + before + whole, large_page - before);
#ifdef MADV_HUGEPAGE
    madvise(start + before, whole, MADV_HUGEPAGE);
#endif
    return {start + before, whole};
}

}  // namespace

Memory::Memory(VkPhysicalDevice physical, VkDevice device, const Caps& caps)
    : physical_(physical),
      device_(device),
      max_block_(caps.max_buffer_bytes),
      heap_bytes_(caps.memory_bytes),
      asks_driver_(caps.memory_budget && !quirks_of(caps).heap_is_host_memory),
      quirks_(quirks_of(caps)),
      unified_(caps.unified_memory),
      borrows_pages_(borrows_host_pages(physical, caps)) {
    vkGetPhysicalDeviceMemoryProperties(physical, &properties_);
    if (quirks_.heap_is_host_memory) host_limit_ = caps.memory_bytes / 8 * 7;

    const VkBufferCreateInfo info = buffer_info(alignment);
    VkBuffer probe = VK_NULL_HANDLE;
    expect_success(vkCreateBuffer(device_, &info, nullptr, &probe), "open device: create a buffer");
    VkMemoryRequirements requirements;
    vkGetBufferMemoryRequirements(device_, probe, &requirements);
    vkDestroyBuffer(device_, probe, nullptr);
    allowed_types_ = requirements.memoryTypeBits;
}

Memory::~Memory() {
    for (auto& [key, pool] : pools_)
        for (const auto& block : pool.blocks) destroy_block(*block);
}

std::uint32_t Memory::type_for(Domain domain) const {
    constexpr VkMemoryPropertyFlags host =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    constexpr VkMemoryPropertyFlags cached = host | VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
    std::vector<VkMemoryPropertyFlags> wishes;
    if (unified_) wishes.push_back(unified_memory_flags);
    if (domain == Domain::Device) wishes.push_back(VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
    if (domain == Domain::Readback) wishes.push_back(cached);
    wishes.push_back(host);   // every driver has it
    for (const VkMemoryPropertyFlags wish : wishes)
        for (std::uint32_t i = 0; i < properties_.memoryTypeCount; ++i)
            if ((allowed_types_ >> i & 1) && (properties_.memoryTypes[i].propertyFlags & wish) == wish) return i;
    throw Error(ErrorCode::Failure, "allocate: expected a memory type that the host can see, the driver has none");
}

std::optional<MemorySlice> Memory::allocate(std::uint64_t size, Domain domain) {
    if (size > max_block_) return std::nullopt;   // also guards the rounding against overflow
    const std::uint64_t bytes = round_up(std::max<std::uint64_t>(size, 1), alignment);
    const std::uint32_t type = type_for(domain);
    const bool large = bytes > largest_small;

    const std::lock_guard lock(mutex_);
    MemoryPool& pool = pools_[{type, large, counts(domain)}];
    pool.type = type;
    pool.large = large;
    pool.counted = counts(domain);
    pool.mapped = unified_ || domain != Domain::Device;
    if (auto slice = take(pool, bytes)) return slice;
    if (!add_block(pool, bytes)) return std::nullopt;
    return take(pool, bytes);
}

std::optional<MemorySlice> Memory::take(MemoryPool& pool, std::uint64_t size) {
    const auto best = pool.ranges.lower_bound({size, 0, 0, nullptr});
    if (best == pool.ranges.end()) return std::nullopt;
    const MemoryPool::FreeRange range = *best;
    pool.ranges.erase(best);
    range.block->free.erase(range.offset);
    if (range.size > size) {
        range.block->free.emplace(range.offset + size, range.size - size);
        pool.ranges.insert({range.size - size, range.serial, range.offset + size, range.block});
    }
    return MemorySlice{range.block, range.offset, size};
}

MemoryBlock* Memory::add_block(MemoryPool& pool, std::uint64_t size) {
    // A full-sized block first, then one that just fits.
    const std::uint64_t shared = std::clamp(budget() / 64 / large_step * large_step, large_step, small_block);
    const std::uint64_t wanted = pool.large ? round_up(size, large_step) : std::max(size, shared);
    std::unique_ptr<MemoryBlock> block;
    for (const std::uint64_t bytes : {std::min(wanted, max_block_), size}) {
        block = create_block(pool, bytes);
        if (block && block->size < size) {   // its start had to be aligned
            destroy_block(*block);
            block = create_block(pool, bytes + alignment);
        }
        if (block) break;
    }
    if (!block) return nullptr;
    block->serial = next_serial_++;
    block->free.emplace(0, block->size);
    pool.ranges.insert({block->size, block->serial, 0, block.get()});
    pool.blocks.push_back(std::move(block));
    return pool.blocks.back().get();
}

std::uint64_t Memory::budget() const {
    if (const std::uint64_t set = set_budget_) return set;
    if (switches().budget > 0) return switches().budget;
    if (asks_driver_)
        if (const std::uint64_t granted = granted_memory(physical_)) return granted;
    return heap_bytes_ / 8 * 7;
}

bool Memory::has_room(const MemoryPool& pool, std::uint64_t bytes) const {
    if (use_.reserved + use_.adopted + host_reserved_ + bytes > host_limit_) return false;
    return !pool.counted || use_.reserved + use_.adopted + bytes <= budget();
}

std::unique_ptr<MemoryBlock> Memory::create_block(MemoryPool& pool, std::uint64_t bytes) {
    const std::uint32_t type = pool.type;
    const std::uint64_t heap = properties_.memoryHeaps[properties_.memoryTypes[type].heapIndex].size;
    if (bytes > max_block_ || bytes > heap || !has_room(pool, bytes)) return nullptr;

    auto block = std::make_unique<MemoryBlock>();
    const bool lent = borrows_pages_ && pool.mapped && bytes >= large_page;
    if (!(lent && make_memory(pool, bytes, true, *block)) && !make_memory(pool, bytes, false, *block)) return nullptr;
    const VkBufferDeviceAddressInfo address{.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO,
                                            .buffer = block->buffer};
    block->address = vkGetBufferDeviceAddress(device_, &address);
    block->base = (alignment - block->address % alignment) % alignment;
    block->size = (bytes - block->base) / alignment * alignment;
    block->address += block->base;
    if (block->mapped) block->mapped += block->base;
    block->pool = &pool;
    (pool.counted ? use_.reserved : host_reserved_) += block->base + block->size;
    log("vulkan", LogLevel::Debug, "memory block of {} bytes, type {}; {} held", bytes, type, use_.reserved);
    return block;
}

// The block's buffer, memory and mapping; false, and nothing made, where the driver refuses.
bool Memory::make_memory(const MemoryPool& pool, std::uint64_t bytes, bool lent, MemoryBlock& block) const {
    const VkExternalMemoryBufferCreateInfo external{.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
                                                    .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT};
    VkBufferCreateInfo info = buffer_info(bytes);
    if (lent) info.pNext = &external;
    if (vkCreateBuffer(device_, &info, nullptr, &block.buffer) != VK_SUCCESS) return false;
    VkMemoryRequirements requirements;
    vkGetBufferMemoryRequirements(device_, block.buffer, &requirements);

    VkMemoryAllocateFlagsInfo flags{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
                                    .flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT};
    VkMemoryAllocateInfo allocate{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                  .pNext = &flags,
                                  .allocationSize = requirements.size,
                                  .memoryTypeIndex = pool.type};
    VkImportMemoryHostPointerInfoEXT import{.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT,
                                            .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT};
    if (lent) {
        block.pages = map_pages(requirements.size);
        import.pHostPointer = block.pages.data();
        flags.pNext = &import;
        allocate.allocationSize = block.pages.size();
    }
    const VkMemoryType& type = properties_.memoryTypes[pool.type];
    const bool visible = pool.mapped && (type.propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT);
    void* mapped = nullptr;
    const bool made = requirements.size <= properties_.memoryHeaps[type.heapIndex].size && lent == !block.pages.empty() &&
                      vkAllocateMemory(device_, &allocate, nullptr, &block.memory) == VK_SUCCESS &&
                      vkBindBufferMemory(device_, block.buffer, block.memory, 0) == VK_SUCCESS &&
                      (!visible || vkMapMemory(device_, block.memory, 0, VK_WHOLE_SIZE, 0, &mapped) == VK_SUCCESS);
    block.mapped = static_cast<std::byte*>(mapped);
    if (!made) free_memory(block);
    return made;
}

void Memory::free_memory(MemoryBlock& block) const {
    vkDestroyBuffer(device_, block.buffer, nullptr);
    vkFreeMemory(device_, block.memory, nullptr);
    if (!block.pages.empty()) munmap(block.pages.data(), block.pages.size());
    block.buffer = VK_NULL_HANDLE;
    block.memory = VK_NULL_HANDLE;
    block.mapped = nullptr;
    block.pages = {};
}

void Memory::destroy_block(MemoryBlock& block) {
    if (block.mapped && block.pages.empty() && quirks_.keeps_freed_pages) remove_pages(block.mapped, block.size);
    free_memory(block);
    (block.pool->counted ? use_.reserved : host_reserved_) -= block.base + block.size;
}

void Memory::release(const MemorySlice& slice, std::uint64_t used_bytes, Domain domain, std::uint64_t value) {
    const std::lock_guard lock(mutex_);
    (counts(domain) ? use_.used : use_.host) -= used_bytes;
    released_.push_back({slice, value});
}

void Memory::collect(std::uint64_t completed) {
    const std::lock_guard lock(mutex_);
    // Values grow, but for handles that two threads drop at the same moment; those wait for their neighbour.
    while (!released_.empty() && released_.front().value <= completed) {
        give_back(released_.front().slice);
        released_.pop_front();
    }
}

void Memory::give_back(const MemorySlice& slice) {
    MemoryBlock& block = *slice.block;
    auto& ranges = block.pool->ranges;
    std::uint64_t start = slice.offset;
    std::uint64_t size = slice.size;
    auto next = block.free.lower_bound(start);
    if (next != block.free.end() && next->first == start + size) {
        size += next->second;
        ranges.erase({next->second, block.serial, next->first, &block});
        next = block.free.erase(next);
    }
    if (next != block.free.begin()) {
        if (const auto previous = std::prev(next); previous->first + previous->second == start) {
            ranges.erase({previous->second, block.serial, previous->first, &block});
            start = previous->first;
            size += previous->second;
            block.free.erase(previous);
        }
    }
    block.free.emplace(start, size);
    ranges.insert({size, block.serial, start, &block});
}

void Memory::trim() {
    const std::lock_guard lock(mutex_);
    for (auto& entry : pools_) {
        auto& pool = entry.second;  // Clang before 16 cannot capture a structured binding
        std::erase_if(pool.blocks, [&](const std::unique_ptr<MemoryBlock>& block) {
            const auto whole = block->free.find(0);
            if (whole == block->free.end() || whole->second != block->size) return false;
            pool.ranges.erase({block->size, block->serial, 0, block.get()});
            destroy_block(*block);
            return true;
        });
    }
}

void Memory::count_used(std::uint64_t bytes, Domain domain) {
    const std::lock_guard lock(mutex_);
    (counts(domain) ? use_.used : use_.host) += bytes;
    use_.peak = std::max(use_.peak, use_.used + use_.adopted);
}

void Memory::adopt(std::int64_t bytes) {
    const std::lock_guard lock(mutex_);
    use_.adopted += static_cast<std::uint64_t>(bytes);   // modulo 2^64: what was added goes again
    use_.peak = std::max(use_.peak, use_.used + use_.adopted);
}

Device::MemoryUse Memory::use() const {
    const std::lock_guard lock(mutex_);
    return use_;
}

void Memory::reset_peak() {
    const std::lock_guard lock(mutex_);
    use_.peak = use_.used + use_.adopted;
}

}  // namespace gpu
