// Reading a physical device. Private to gpu/vulkan.
#pragma once

#include <vulkan/vulkan.h>

#include "gpu/vulkan/caps.h"

namespace gpu {

// What a memory type must be for shaders and the host to share it at full speed.
inline constexpr VkMemoryPropertyFlags unified_memory_flags =
    VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT |
    VK_MEMORY_PROPERTY_HOST_CACHED_BIT;

inline constexpr std::uint32_t no_queue_family = ~0u;

Caps read_caps(VkPhysicalDevice physical, int index);

// A compute queue apart from graphics where there is one; no_queue_family where nothing computes.
std::uint32_t compute_queue_family(VkPhysicalDevice physical, std::uint32_t& timestamp_bits);

}  // namespace gpu
