// Third order of the same family (k-diffusion's sample_dpmpp_3m_sde): exponential integrator with two earlier predictions.
#include <cmath>

#include "gpu/ops.h"
#include "nodes/sampling/sampler.h"

namespace nodes {
namespace {

struct Dpmpp3mSde final : Sampler {
    SamplerInfo info() const override {
        return {.name = "dpmpp_3m_sde", .title = "DPM++ 3M SDE", .source = "k-diffusion, sample_dpmpp_3m_sde", .schedule = "exponential",
                .stochastic = true, .drop_last = true, .whole_timesteps = true};
    }

    SamplerState step(const SamplerStep& at, const SamplerState& state, const Prediction& predicted) const override {
        const gpu::Tensor& m0 = predicted.x0;
        const NoiseLevel &from = at.here(), &to = at.next();
        const gpu::Tensors history = remember(m0, state.history, 2);
        if (to.noise == 0) return {m0 * to.signal, history};
        const auto lambda = [&](int back) { return at.calls[static_cast<std::size_t>(at.call - back)].lambda(); };
        const double h = to.lambda() - from.lambda(), eta = at.options.eta.value_or(1), g = h * (1 + eta);
        const double phi1 = -std::expm1(-g), phi2 = std::expm1(-g) / g + 1, phi3 = phi2 / g - 0.5;
        gpu::Tensor y = m0 * phi1;
        if (state.history.size() == 1) {
            y = y + (m0 - state.history[0]) * (phi2 * h / (lambda(0) - lambda(1)));
        } else if (state.history.size() == 2) {
            const double r0 = (lambda(0) - lambda(1)) / h, r1 = (lambda(1) - lambda(2)) / h;
            const gpu::Tensor near = (m0 - state.history[0]) * (1 / r0), far = (state.history[0] - state.history[1]) * (1 / r1);
            const gpu::Tensor slope = near + (near - far) * (r0 / (r0 + r1)), bend = (near - far) * (1 / (r0 + r1));
            y = y + slope * phi2 - bend * phi3;
        }
        gpu::Tensor x = state.x * (to.noise / from.noise * std::exp(-h * eta)) + y * to.signal;
        if (eta > 0) x = x + at.noise() * (to.noise * std::sqrt(-std::expm1(-2 * h * eta)) * at.options.noise_scale);
        return {x, history};
    }
};

}  // namespace
}  // namespace nodes

REGISTER_SAMPLER(dpmpp_3m_sde, nodes::Dpmpp3mSde)
