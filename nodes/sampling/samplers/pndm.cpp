// PNDM without its Runge-Kutta start, also called PLMS (Liu et al., arXiv:2202.09778): Adams-Bashforth over the predicted
// noise, then DDIM's transfer. The second timestep is visited twice to make up for the missing start.
#include <array>

#include "gpu/ops.h"
#include "nodes/sampling/sampler.h"

namespace nodes {
namespace {

struct Pndm final : Sampler {
    SamplerInfo info() const override {
        return {.name = "pndm", .title = "PNDM (PLMS)", .source = "arXiv:2202.09778", .schedule = "leading", .whole_timesteps = true,
                .end = EndLevel::Lowest};
    }

    NoiseLevels calls(const NoiseLevels& levels, const NoiseTable&, const SamplerOptions&) const override {
        NoiseLevels made(levels.begin(), levels.end() - 1);
        if (made.size() > 1) made.insert(made.begin() + 1, made[1]);
        return made;
    }

    // The history is the noise predicted before; at the second call also the x of the first, which is taken back up.
    SamplerState step(const SamplerStep& at, const SamplerState& state, const Prediction& predicted) const override {
        const NoiseLevel& second = at.calls.size() > 1 ? at.calls[1] : at.levels.back();
        const gpu::Tensor& e = predicted.epsilon;
        if (at.call == 0) return {transfer(at, at.here(), second, state.x, e), {e, state.x}};
        if (at.call == 1)
            return {transfer(at, at.calls[0], second, state.history[1], (e + state.history[0]) * 0.5), {state.history[0]}};
        const gpu::Tensors es = remember(e, state.history, 4);
        static constexpr std::array<std::array<double, 4>, 3> weights{{{3. / 2, -1. / 2, 0, 0},
                                                                       {23. / 12, -16. / 12, 5. / 12, 0},
                                                                       {55. / 24, -59. / 24, 37. / 24, -9. / 24}}};
        gpu::Tensor mixed = es[0] * weights[es.size() - 2][0];
        for (std::size_t k = 1; k < es.size(); ++k) mixed = mixed + es[k] * weights[es.size() - 2][k];
        return {transfer(at, at.here(), at.next(), state.x, mixed), es};
    }

    static gpu::Tensor transfer(const SamplerStep& at, const NoiseLevel& from, const NoiseLevel& next, const gpu::Tensor& x, const gpu::Tensor& e) {
        return at_level(stride_back(at, from, next), predict(PredictionType::Epsilon, e, x, from));
    }
};

}  // namespace
}  // namespace nodes

REGISTER_SAMPLER(pndm, nodes::Pndm)
