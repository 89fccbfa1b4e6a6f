// What the planner may know of a device, read from what Vulkan says of it.
#pragma once

#include "gpu/graph/kernel.h"
#include "gpu/vulkan/caps.h"

namespace gpu {

DeviceTraits traits_of(const Caps& caps);

}  // namespace gpu
