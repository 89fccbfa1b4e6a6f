// Every T / N-th timestep down from the highest: the one that includes it, which zero terminal SNR needs (arXiv:2305.08891).
#include <cmath>

#include "nodes/sampling/schedule.h"

namespace nodes {
namespace {

NoiseLevels trailing(const NoiseTable& table, const ScheduleOptions& options) {
    const int points = options.steps + (options.drop_last ? 1 : 0);
    std::vector<double> timesteps;
    for (int i = 0; i < points; ++i)
        timesteps.push_back(std::nearbyint(table.count() - static_cast<double>(table.count()) * i / points) - 1);
    return levels_at(table, timesteps, options);
}

}  // namespace
}  // namespace nodes

REGISTER_SCHEDULE(trailing, nodes::trailing)
