// The SDE form of DPM-Solver++ 2M (arXiv:2211.01095, appendix B; k-diffusion's sample_dpmpp_2m_sde, midpoint): part of the
// noise, set by eta, is replaced at every step.
#include <cmath>

#include "gpu/ops.h"
#include "nodes/sampling/sampler.h"

namespace nodes {
namespace {

struct Dpmpp2mSde final : Sampler {
    SamplerInfo info() const override {
        return {.name = "dpmpp_2m_sde", .title = "DPM++ 2M SDE", .source = "arXiv:2211.01095", .schedule = "karras", .stochastic = true,
                .drop_last = true, .whole_timesteps = true};
    }

    SamplerState step(const SamplerStep& at, const SamplerState& state, const Prediction& predicted) const override {
        const gpu::Tensor& m0 = predicted.x0;
        const NoiseLevel &from = at.here(), &to = at.next();
        if (to.noise == 0) return {m0 * to.signal, {m0}};
        const double h = to.lambda() - from.lambda(), eta = at.options.eta.value_or(1);
        const double grow = -std::expm1(-h * (1 + eta)) * to.signal;
        gpu::Tensor data = m0;
        if (!state.history.empty()) {
            const double ratio = (from.lambda() - at.calls[static_cast<std::size_t>(at.call) - 1].lambda()) / h;
            data = m0 + (m0 - state.history[0]) * (0.5 / ratio);
        }
        gpu::Tensor x = state.x * (to.noise / from.noise * std::exp(-h * eta)) + data * grow;
        if (eta > 0) x = x + at.noise() * (to.noise * std::sqrt(-std::expm1(-2 * h * eta)) * at.options.noise_scale);
        return {x, {m0}};
    }
};

}  // namespace
}  // namespace nodes

REGISTER_SAMPLER(dpmpp_2m_sde, nodes::Dpmpp2mSde)
