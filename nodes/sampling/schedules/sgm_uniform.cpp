// Stability's choice for SDXL: timesteps evenly from the highest towards zero, which itself is left out.
#include "nodes/sampling/schedule.h"

namespace nodes {
namespace {

NoiseLevels sgm_uniform(const NoiseTable& table, const ScheduleOptions& options) {
    std::vector<double> timesteps;
    for (int i = 0; i < options.steps; ++i)
        timesteps.push_back(static_cast<double>(table.count() - 1) * (options.steps - i) / options.steps);
    ScheduleOptions exact = options;
    exact.drop_last = false;      // the point that would be dropped is left out already
    return levels_at(table, timesteps, exact);
}

}  // namespace
}  // namespace nodes

REGISTER_SCHEDULE(sgm_uniform, nodes::sgm_uniform)
