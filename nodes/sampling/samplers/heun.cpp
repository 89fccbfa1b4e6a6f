// Heun's method: Euler to the next level, a second call there, and the mean of both slopes (EDM, arXiv:2206.00364,
// algorithm 1). The last interval is a plain Euler step, since a slope at sigma 0 is unknown.
#include "gpu/ops.h"
#include "nodes/sampling/sampler.h"

namespace nodes {
namespace {

struct Heun final : Sampler {
    SamplerInfo info() const override {
        return {.name = "heun", .title = "Heun", .source = "arXiv:2206.00364", .schedule = "linspace"};
    }

    NoiseLevels calls(const NoiseLevels& levels, const NoiseTable&, const SamplerOptions&) const override {
        NoiseLevels made{levels.front()};
        for (std::size_t i = 1; i + 1 < levels.size(); ++i) made.insert(made.end(), 2, levels[i]);
        return made;
    }

    // Even calls predict, odd calls correct; between them the history holds where the step began and its slope.
    SamplerState step(const SamplerStep& at, const SamplerState& state, const Prediction& predicted) const override {
        const NoiseLevel& from = at.here();
        if (at.call % 2 == 0) {
            if (at.last()) return {at_level(at.next(), predicted), {}};
            return {at_level(at.next(), predicted), {state.x, predicted.epsilon}};
        }
        const NoiseLevel& began = at.calls[static_cast<std::size_t>(at.call) - 1];
        const gpu::Tensor slope = (state.history[1] + predicted.epsilon) * 0.5;
        const gpu::Tensor y = state.history[0] * (1 / began.signal) + slope * (from.sigma() - began.sigma());
        return {y * from.signal, {}};
    }
};

}  // namespace
}  // namespace nodes

REGISTER_SAMPLER(heun, nodes::Heun)
