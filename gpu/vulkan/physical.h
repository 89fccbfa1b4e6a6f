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

}  // namespace gpu
