#include "gpu/vulkan/queue_family.h"

namespace gpu {

std::uint32_t choose_queue_family(std::span<const QueueFamily> families) {
    std::uint32_t best = no_queue_family;
    int best_rank = -1;
    for (std::uint32_t i = 0; i < families.size(); ++i) {
        const QueueFamily& family = families[i];
        if (!family.compute || family.queues == 0) continue;
        const int rank = (family.graphics ? 0 : 2) + (family.timestamp_bits > 0 ? 1 : 0);
        if (rank <= best_rank) continue;
        best = i;
        best_rank = rank;
    }
    return best;
}

}  // namespace gpu
