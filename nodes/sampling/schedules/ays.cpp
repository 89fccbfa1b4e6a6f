// Align Your Steps (Sabour et al., arXiv:2404.14507): levels optimised for few steps, for SD 1.x, SDXL and SVD. The ten
// published steps are interpolated in log sigma for other counts.
#include <array>
#include <cmath>
#include <span>

#include "nodes/sampling/schedule.h"

namespace nodes {
namespace {

NoiseLevels interpolated(const NoiseTable& table, const ScheduleOptions& options, std::span<const double> published) {
    std::vector<double> sigmas;
    for (int i = 0; i < options.steps; ++i) {
        const double at = static_cast<double>(published.size() - 1) * i / options.steps;
        const auto below = static_cast<std::size_t>(at);
        const double part = at - static_cast<double>(below);
        sigmas.push_back(std::exp(std::log(published[below]) * (1 - part) + std::log(published[below + 1]) * part));
    }
    return levels_of(table, sigmas, options);
}

NoiseLevels ays_sd15(const NoiseTable& table, const ScheduleOptions& options) {
    static constexpr std::array published{14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029};
    return interpolated(table, options, published);
}

NoiseLevels ays_sdxl(const NoiseTable& table, const ScheduleOptions& options) {
    static constexpr std::array published{14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029};
    return interpolated(table, options, published);
}

NoiseLevels ays_svd(const NoiseTable& table, const ScheduleOptions& options) {
    static constexpr std::array published{700.00, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002};
    return interpolated(table, options, published);
}

}  // namespace
}  // namespace nodes

REGISTER_SCHEDULE(ays_sd15, nodes::ays_sd15)
REGISTER_SCHEDULE(ays_sdxl, nodes::ays_sdxl)
REGISTER_SCHEDULE(ays_svd, nodes::ays_svd)
