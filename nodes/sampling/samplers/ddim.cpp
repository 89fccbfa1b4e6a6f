// DDIM (Song et al., arXiv:2010.02502), equation 12. Deterministic at eta 0, DDPM-like at 1.
#include <algorithm>
#include <cmath>

#include "gpu/ops.h"
#include "nodes/sampling/sampler.h"

namespace nodes {
namespace {

struct Ddim final : Sampler {
    SamplerInfo info() const override {
        return {.name = "ddim", .title = "DDIM", .source = "arXiv:2010.02502", .schedule = "leading", .stochastic = true,
                .whole_timesteps = true, .end = EndLevel::Lowest};
    }

    SamplerState step(const SamplerStep& at, const SamplerState&, const Prediction& predicted) const override {
        const NoiseLevel to = stride_back(at, at.here(), at.next()), from = at.here();
        const double kept = 1 - from.alpha_bar() / to.alpha_bar();
        const double sigma = at.options.eta.value_or(0) * to.noise / from.noise * std::sqrt(std::max(kept, 0.0));
        if (sigma == 0) return {at_level(to, predicted), {}};
        const double direction = std::sqrt(std::max(to.noise * to.noise - sigma * sigma, 0.0));
        return {predicted.x0 * to.signal + predicted.epsilon * direction + at.noise() * (sigma * at.options.noise_scale), {}};
    }
};

}  // namespace
}  // namespace nodes

REGISTER_SAMPLER(ddim, nodes::Ddim)
