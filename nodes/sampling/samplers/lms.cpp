// Linear multistep: Adams-Bashforth in sigma over levels that lie unevenly (k-diffusion's sample_lms).
#include <algorithm>
#include <array>

#include "gpu/ops.h"
#include "nodes/sampling/sampler.h"

namespace nodes {
namespace {

// The integral over the step of Lagrange's basis polynomial that is 1 at `sigmas[which]` and 0 at the others. Gauss'
// rule with four points is exact up to degree 7.
double coefficient(const std::vector<double>& sigmas, std::size_t which, double from, double to) {
    static constexpr std::array points{-0.8611363115940526, -0.3399810435848563, 0.3399810435848563, 0.8611363115940526};
    static constexpr std::array weights{0.3478548451374538, 0.6521451548625461, 0.6521451548625461, 0.3478548451374538};
    double sum = 0;
    for (std::size_t p = 0; p < points.size(); ++p) {
        const double sigma = (from + to) / 2 + (to - from) / 2 * points[p];
        double basis = 1;
        for (std::size_t k = 0; k < sigmas.size(); ++k)
            if (k != which) basis *= (sigma - sigmas[k]) / (sigmas[which] - sigmas[k]);
        sum += weights[p] * basis;
    }
    return sum * (to - from) / 2;
}

struct Lms final : Sampler {
    SamplerInfo info() const override {
        return {.name = "lms", .title = "LMS", .source = "k-diffusion, sample_lms", .schedule = "linspace"};
    }

    SamplerState step(const SamplerStep& at, const SamplerState& state, const Prediction& predicted) const override {
        const gpu::Tensors slopes = remember(predicted.epsilon, state.history, 4);
        std::vector<double> sigmas;      // of the slopes
        for (std::size_t k = 0; k < slopes.size(); ++k) sigmas.push_back(at.calls[static_cast<std::size_t>(at.call) - k].sigma());
        gpu::Tensor y = state.x * (1 / at.here().signal);
        for (std::size_t k = 0; k < slopes.size(); ++k)
            y = y + slopes[k] * coefficient(sigmas, k, at.here().sigma(), at.next().sigma());
        return {y * at.next().signal, slopes};
    }
};

}  // namespace
}  // namespace nodes

REGISTER_SAMPLER(lms, nodes::Lms)
