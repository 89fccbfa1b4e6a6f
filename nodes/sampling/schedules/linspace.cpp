// Timesteps evenly from the highest to the lowest, both included; fractional where the caller allows.
#include "nodes/sampling/schedule.h"

namespace nodes {
namespace {

NoiseLevels linspace(const NoiseTable& table, const ScheduleOptions& options) {
    const int points = options.steps + (options.drop_last ? 1 : 0);
    std::vector<double> timesteps;
    for (int i = points - 1; i >= 0; --i)
        timesteps.push_back(points == 1 ? 0.0 : static_cast<double>(table.count() - 1) * i / (points - 1));
    return levels_at(table, timesteps, options);
}

}  // namespace
}  // namespace nodes

REGISTER_SCHEDULE(linspace, nodes::linspace)
