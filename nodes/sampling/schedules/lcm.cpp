// The timesteps that latent consistency models are distilled at, every twentieth (arXiv:2310.04378), thinned out evenly.
#include <algorithm>
#include <cmath>

#include "nodes/sampling/schedule.h"

namespace nodes {
namespace {

constexpr int distilled = 50;       // steps of the teacher's solver

NoiseLevels lcm(const NoiseTable& table, const ScheduleOptions& options) {
    const int stride = std::max(table.count() / distilled, 1), origin = std::min(std::max(distilled, options.steps), table.count() / stride);
    std::vector<double> timesteps;
    for (int i = 0; i < options.steps; ++i) {
        const int at = static_cast<int>(std::floor(static_cast<double>(origin) * i / options.steps));
        timesteps.push_back(static_cast<double>(origin - at) * stride - 1);
    }
    ScheduleOptions exact = options;
    exact.drop_last = false;
    return levels_at(table, timesteps, exact);
}

}  // namespace
}  // namespace nodes

REGISTER_SCHEDULE(lcm, nodes::lcm)
