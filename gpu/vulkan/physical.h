// Reading a physical device. Private to gpu/vulkan.
#pragma once

#include <vulkan/vulkan.h>

#include "gpu/vulkan/caps.h"
#include "gpu/vulkan/queue_family.h"

namespace gpu {

// What a memory type must be for shaders and the host to share it at full speed.
inline constexpr VkMemoryPropertyFlags unified_memory_flags =
    VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT |
    VK_MEMORY_PROPERTY_HOST_CACHED_BIT;

Caps read_caps(VkPhysicalDevice physical, int index);

bool has_extension(VkPhysicalDevice physical, const char* name);

// What choose_queue_family() chooses from.
std::vector<QueueFamily> queue_families(VkPhysicalDevice physical);

// Bytes that the driver grants this process in the largest device-local heap; needs Caps::memory_budget.
std::uint64_t granted_memory(VkPhysicalDevice physical);

// Whether device memory is best made of our own pages and lent to the driver (VK_EXT_external_memory_host): true for software
// drivers that can. Theirs is a file in memory, which gets no large pages, and reading large tensors then waits for the
// processor's page tables.
bool borrows_host_pages(VkPhysicalDevice physical, const Caps& caps);

}  // namespace gpu
