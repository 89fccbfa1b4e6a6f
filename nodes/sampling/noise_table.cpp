#include "nodes/sampling/noise_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "gpu/base/error.h"

namespace nodes {
namespace {

// Without a picture sigma would be infinite; sigma-space samplers then start from this alpha_bar (sigma 4096).
constexpr double least_alpha_bar = 0x1p-24;

std::vector<double> make_betas(const NoiseTableOptions& options) {
    const int count = options.count;
    std::vector<double> betas(static_cast<std::size_t>(count));
    const auto along = [&](double a, double b, int i) { return a + (b - a) * i / (count - 1); };
    // Nichol & Dhariwal (arXiv:2102.09672), equation 17.
    const auto cosine = [](double t) { return std::pow(std::cos((t + 0.008) / 1.008 * std::numbers::pi / 2), 2); };
    for (int i = 0; i < count; ++i) {
        double& beta = betas[static_cast<std::size_t>(i)];
        switch (options.rule) {
            case BetaRule::Linear: beta = along(options.beta_start, options.beta_end, i); break;
            case BetaRule::ScaledLinear:
                beta = std::pow(along(std::sqrt(options.beta_start), std::sqrt(options.beta_end), i), 2);
                break;
            case BetaRule::Cosine:
                beta = std::min(1 - cosine((i + 1.0) / count) / cosine(static_cast<double>(i) / count), 0.999);
                break;
        }
    }
    return betas;
}

}  // namespace

double NoiseLevel::lambda() const {
    if (noise <= 0) return std::numeric_limits<double>::infinity();
    if (signal <= 0) return -std::numeric_limits<double>::infinity();
    return std::log(signal) - std::log(noise);
}

NoiseLevel level_of_sigma(double timestep, double sigma) {
    const double signal = 1 / std::sqrt(sigma * sigma + 1);
    return {timestep, signal, sigma * signal};
}

NoiseLevel level_of_alpha_bar(double timestep, double alpha_bar) {
    return {timestep, std::sqrt(alpha_bar), std::sqrt(1 - alpha_bar)};
}

NoiseTable::NoiseTable(const NoiseTableOptions& options) {
    gpu::check(options.count >= 2 && options.count <= 1000000, gpu::ErrorCode::InvalidGraph,
               "noise table: expected 2 to 1000000 timesteps, got {}", options.count);
    const auto inside = [](double beta) { return beta > 0 && beta < 1; };
    gpu::check(inside(options.beta_start) && inside(options.beta_end), gpu::ErrorCode::InvalidGraph,
               "noise table: expected betas between 0 and 1, got {} and {}", options.beta_start, options.beta_end);
    double product = 1;
    for (const double beta : make_betas(options)) alpha_bars_.push_back(product *= 1 - beta);
    if (options.zero_terminal_snr) {
        const double first = std::sqrt(alpha_bars_.front()), last = std::sqrt(alpha_bars_.back());
        for (double& alpha_bar : alpha_bars_) alpha_bar = std::pow((std::sqrt(alpha_bar) - last) * first / (first - last), 2);
    }
    for (const double alpha_bar : alpha_bars_) {
        const double held = std::max(alpha_bar, least_alpha_bar);
        sigmas_.push_back(std::sqrt((1 - held) / held));
    }
}

NoiseLevel NoiseTable::level(double timestep) const {
    const double at = std::clamp(timestep, 0.0, count() - 1.0);
    const auto below = std::min(static_cast<std::size_t>(at), sigmas_.size() - 2);
    const double part = at - static_cast<double>(below);
    return level_of_sigma(timestep, sigmas_[below] + part * (sigmas_[below + 1] - sigmas_[below]));
}

double NoiseTable::timestep_of(double sigma) const {
    if (sigma <= sigmas_.front()) return 0;
    if (sigma >= sigmas_.back()) return count() - 1;
    const auto above = std::upper_bound(sigmas_.begin(), sigmas_.end(), sigma);
    const double low = std::log(*(above - 1)), high = std::log(*above);
    return static_cast<double>(above - 1 - sigmas_.begin()) + (std::log(sigma) - low) / (high - low);
}

}  // namespace nodes
