// ComfyUI's "simple": down from the highest timestep in even strides, each cut to a whole one. Where the number of
// steps divides that of timesteps it equals `trailing`.
#include "nodes/sampling/schedule.h"

namespace nodes {
namespace {

NoiseLevels simple(const NoiseTable& table, const ScheduleOptions& options) {
    const int points = options.steps + (options.drop_last ? 1 : 0);
    std::vector<double> timesteps;
    for (int i = 0; i < points; ++i)
        timesteps.push_back(table.count() - 1 - static_cast<int>(static_cast<double>(table.count()) / points * i));
    return levels_at(table, timesteps, options);
}

}  // namespace
}  // namespace nodes

REGISTER_SCHEDULE(simple, nodes::simple)
