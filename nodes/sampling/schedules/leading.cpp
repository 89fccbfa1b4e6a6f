// Every T / N-th timestep from the lowest on, shifted by an offset: Stable Diffusion's own choice (offset 1).
#include <algorithm>

#include "nodes/sampling/schedule.h"

namespace nodes {
namespace {

NoiseLevels leading(const NoiseTable& table, const ScheduleOptions& options) {
    const int points = options.steps + (options.drop_last ? 1 : 0), stride = table.count() / points;
    std::vector<double> timesteps;
    for (int i = points - 1; i >= 0; --i) timesteps.push_back(std::min(i * stride + options.offset, table.count() - 1));
    return levels_at(table, timesteps, options);
}

}  // namespace
}  // namespace nodes

REGISTER_SCHEDULE(leading, nodes::leading)
