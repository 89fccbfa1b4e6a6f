// Sigmas evenly in sigma^(1/rho) from the table's highest to its lowest (EDM, arXiv:2206.00364, equation 5).
#include <algorithm>
#include <cmath>

#include "nodes/sampling/schedule.h"

namespace nodes {
namespace {

NoiseLevels karras(const NoiseTable& table, const ScheduleOptions& options) {
    const double high = std::pow(options.high(table), 1 / options.rho), low = std::pow(options.low(table), 1 / options.rho);
    std::vector<double> sigmas;
    for (int i = 0; i < options.steps; ++i)
        sigmas.push_back(std::pow(high + (low - high) * i / std::max(options.steps - 1, 1), options.rho));
    return levels_of(table, sigmas, options);
}

}  // namespace
}  // namespace nodes

REGISTER_SCHEDULE(karras, nodes::karras)
