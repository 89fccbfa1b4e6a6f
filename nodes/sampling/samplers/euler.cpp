// Euler's method on the probability flow ODE in sigma (EDM, arXiv:2206.00364, algorithm 2).

#include "gpu/ops.h"
#include "nodes/sampling/sampler.h"

namespace nodes {
namespace {

struct Euler final : Sampler {
    SamplerInfo info() const override {
        return {.name = "euler", .title = "Euler", .source = "arXiv:2206.00364", .schedule = "linspace"};
    }

    // dy/dsigma is the noise itself, so that going to another level keeps x0 and epsilon.
    SamplerState step(const SamplerStep& at, const SamplerState&, const Prediction& predicted) const override {
        return {at_level(at.next(), predicted), {}};
    }
};

}  // namespace
}  // namespace nodes

REGISTER_SAMPLER(euler, nodes::Euler)
