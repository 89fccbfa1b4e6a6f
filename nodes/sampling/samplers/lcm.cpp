// Latent consistency models (Luo et al., arXiv:2310.04378): the network maps any level to the clean latent; between calls
// noise is added anew.
#include <cmath>

#include "gpu/ops.h"
#include "nodes/sampling/sampler.h"

namespace nodes {
namespace {

struct Lcm final : Sampler {
    SamplerInfo info() const override {
        return {.name = "lcm", .title = "LCM", .source = "arXiv:2310.04378", .schedule = "lcm", .stochastic = true, .whole_timesteps = true};
    }

    SamplerState step(const SamplerStep& at, const SamplerState& state, const Prediction& predicted) const override {
        // Boundary conditions: c_skip(0) = 1, c_out(0) = 0, with the timestep scaled by 10 and sigma_data 0.5.
        const double t = at.here().timestep * 10, data = 0.5, size = t * t + data * data;
        const gpu::Tensor clean = state.x * (data * data / size) + predicted.x0 * (t / std::sqrt(size));
        if (at.next().noise == 0) return {clean, {}};
        const NoiseLevel& to = at.next();
        return {clean * to.signal + at.noise() * (to.noise * at.options.noise_scale), {}};
    }
};

}  // namespace
}  // namespace nodes

REGISTER_SAMPLER(lcm, nodes::Lcm)
