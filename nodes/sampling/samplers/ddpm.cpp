// Ancestral sampling of DDPM (Ho et al., arXiv:2006.11239), equations 6 and 7, between any two timesteps.
#include <algorithm>
#include <cmath>

#include "gpu/ops.h"
#include "nodes/sampling/sampler.h"

namespace nodes {
namespace {

struct Ddpm final : Sampler {
    SamplerInfo info() const override {
        return {.name = "ddpm", .title = "DDPM", .source = "arXiv:2006.11239", .schedule = "leading", .stochastic = true,
                .whole_timesteps = true};
    }

    SamplerState step(const SamplerStep& at, const SamplerState& state, const Prediction& predicted) const override {
        const double bar = at.here().alpha_bar(), bar_to = at.next().alpha_bar();
        const double alpha = bar / bar_to, beta = 1 - alpha, left = 1 - bar;
        const gpu::Tensor mean = predicted.x0 * (std::sqrt(bar_to) * beta / left) + state.x * (std::sqrt(alpha) * (1 - bar_to) / left);
        if (at.next().noise == 0 || at.here().timestep == 0) return {mean, {}};
        const double variance = std::max((1 - bar_to) / left * beta, 1e-20);      // the smaller of the paper's two
        return {mean + at.noise() * (std::sqrt(variance) * at.options.eta.value_or(1) * at.options.noise_scale), {}};
    }
};

}  // namespace
}  // namespace nodes

REGISTER_SAMPLER(ddpm, nodes::Ddpm)
