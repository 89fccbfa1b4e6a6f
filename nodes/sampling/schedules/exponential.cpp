// Sigmas evenly in log sigma from the table's highest to its lowest: every step divides the noise by the same number.
#include <algorithm>
#include <cmath>

#include "nodes/sampling/schedule.h"

namespace nodes {
namespace {

NoiseLevels exponential(const NoiseTable& table, const ScheduleOptions& options) {
    const double high = std::log(options.high(table)), low = std::log(options.low(table));
    std::vector<double> sigmas;
    for (int i = 0; i < options.steps; ++i) sigmas.push_back(std::exp(high + (low - high) * i / std::max(options.steps - 1, 1)));
    return levels_of(table, sigmas, options);
}

}  // namespace
}  // namespace nodes

REGISTER_SCHEDULE(exponential, nodes::exponential)
