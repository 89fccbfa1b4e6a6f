// Euler to less noise than the next level has, the rest filled up with fresh noise (k-diffusion's ancestral step).
#include "gpu/ops.h"
#include "nodes/sampling/sampler.h"

namespace nodes {
namespace {

struct EulerAncestral final : Sampler {
    SamplerInfo info() const override {
        return {.name = "euler_ancestral", .title = "Euler a", .source = "k-diffusion, sample_euler_ancestral", .schedule = "linspace",
                .stochastic = true};
    }

    SamplerState step(const SamplerStep& at, const SamplerState&, const Prediction& predicted) const override {
        const auto [kept, fresh] = ancestral_split(at.here().sigma(), at.next().sigma(), at.options.eta.value_or(1));
        const gpu::Tensor y = predicted.x0 + predicted.epsilon * kept;
        // Drawn at the last step too, where its weight is zero, so that the stream of numbers is that of other tools.
        return {(y + at.noise() * (fresh * at.options.noise_scale)) * at.next().signal, {}};
    }
};

}  // namespace
}  // namespace nodes

REGISTER_SAMPLER(euler_ancestral, nodes::EulerAncestral)
