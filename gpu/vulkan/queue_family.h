// Which of a device's queue families computes. Apart from Vulkan, so that lists of real cards can be tested.
#pragma once

#include <cstdint>
#include <span>

namespace gpu {

struct QueueFamily {
    bool compute = false, graphics = false, transfer = false;
    std::uint32_t queues = 1;
    std::uint32_t timestamp_bits = 0;
};

inline constexpr std::uint32_t no_queue_family = ~0u;

// A family that computes and draws nothing, so that a desktop's own work goes on beside ours; of several the one with
// timestamps, then the first. Else a family that does both. no_queue_family where none computes.
std::uint32_t choose_queue_family(std::span<const QueueFamily> families);

}  // namespace gpu
