// DPM-Solver++ 2M (Lu et al., arXiv:2211.01095, algorithm 2): second order over the data prediction, one call a step.
#include <cmath>

#include "gpu/ops.h"
#include "nodes/sampling/sampler.h"

namespace nodes {
namespace {

struct Dpmpp2m final : Sampler {
    SamplerInfo info() const override {
        return {.name = "dpmpp_2m", .title = "DPM++ 2M", .source = "arXiv:2211.01095", .schedule = "karras", .drop_last = true,
                .whole_timesteps = true};
    }

    SamplerState step(const SamplerStep& at, const SamplerState& state, const Prediction& predicted) const override {
        const gpu::Tensor& m0 = predicted.x0;
        const NoiseLevel &from = at.here(), &to = at.next();
        if (to.noise == 0) return {m0 * to.signal, {m0}};             // lambda is infinite: nothing of x is kept
        const double h = to.lambda() - from.lambda(), grow = -std::expm1(-h) * to.signal;
        gpu::Tensor data = m0;
        // The last step falls back to first order where steps are few (the authors: "lower order final").
        const bool first_order = state.history.empty() || (at.last() && at.calls.size() < 15);
        if (!first_order) {
            const double ratio = (from.lambda() - at.calls[static_cast<std::size_t>(at.call) - 1].lambda()) / h;
            data = m0 + (m0 - state.history[0]) * (0.5 / ratio);
        }
        return {state.x * (to.noise / from.noise) + data * grow, {m0}};
    }
};

}  // namespace
}  // namespace nodes

REGISTER_SAMPLER(dpmpp_2m, nodes::Dpmpp2m)
