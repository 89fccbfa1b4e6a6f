// Samplers that call the network twice a step: where it begins, and in its middle by log sigma (DPM-Solver-2, Lu et al., arXiv:2206.00927, with r = 1/2).
// With the prediction of the middle, y = x_t / signal goes from sigma a to b
//
//     with the noise   (DPM2)                              y + (b - a) e
//     with the picture (DPM-Solver++, arXiv:2211.01095)    b / a y + (1 - b / a) x0
//
// k-diffusion's ancestral forms go to less noise than the next level has and fill up with fresh noise; its dpmpp_sde does so at the middle too.
#include <cmath>

#include "gpu/ops.h"
#include "nodes/sampling/sampler.h"

namespace nodes {
namespace {

struct TwoStage : Sampler {
    struct Form {
        bool picture = false;           // what is held over a step
        bool ancestral = false;
        bool noisy_middle = false;      // the middle is reached as a level is
    };
    explicit TwoStage(Form form) : form_(form) {}

    NoiseLevels calls(const NoiseLevels& levels, const NoiseTable& table, const SamplerOptions& options) const final {
        NoiseLevels made;
        for (std::size_t i = 0; i + 1 < levels.size(); ++i) {
            made.push_back(levels[i]);
            if (const double sigma = middle(levels, i, options); sigma > 0) made.push_back(inner_level(table, sigma, options));
        }
        return made;
    }

    // Between a step's calls the history holds where it began, and the noise that its first half was given.
    SamplerState step(const SamplerStep& at, const SamplerState& state, const Prediction& predicted) const final {
        const auto [index, second] = place(at);
        const NoiseLevel &from = at.levels[index], &to = at.levels[index + 1];
        const double a = from.sigma(), b = to.sigma(), inner = middle(at.levels, index, at.options), scale = at.options.noise_scale;
        const AncestralSplit whole = split(a, b, at.options);
        if (inner == 0) {      // Euler's method, to the end or where all noise is made new
            const gpu::Tensor y = predicted.x0 + predicted.epsilon * whole.kept;
            return {(whole.fresh > 0 ? y + at.noise() * (whole.fresh * scale) : y) * to.signal, {}};
        }
        if (!second) {
            const AncestralSplit half = form_.noisy_middle ? split(a, inner, at.options) : AncestralSplit{inner, 0};
            const gpu::Tensor y = predicted.x0 + predicted.epsilon * half.kept;
            if (half.fresh == 0) return {y * at.next().signal, {state.x}};
            const gpu::Tensor normal = at.noise();
            return {(y + normal * (half.fresh * scale)) * at.next().signal, {state.x, normal}};
        }
        const gpu::Tensor y = state.history[0] * (1 / from.signal);
        gpu::Tensor moved = form_.picture ? y * (whole.kept / a) + predicted.x0 * (1 - whole.kept / a) : y + predicted.epsilon * (whole.kept - a);
        if (whole.fresh > 0) {
            // One Brownian motion over sigma: the noise of the whole step holds that of its half.
            gpu::Tensor normal = at.noise();
            if (state.history.size() > 1) normal = state.history[1] * std::sqrt((a - inner) / (a - b)) + normal * std::sqrt((inner - b) / (a - b));
            moved = moved + normal * (whole.fresh * scale);
        }
        return {moved * to.signal, {}};
    }

private:
    AncestralSplit split(double from, double to, const SamplerOptions& options) const {
        return form_.ancestral ? ancestral_split(from, to, options.eta.value_or(1)) : AncestralSplit{to, 0};
    }

    // Sigma of a step's second call; 0 where it has none.
    double middle(const NoiseLevels& levels, std::size_t step, const SamplerOptions& options) const {
        const double from = levels[step].sigma(), to = levels[step + 1].sigma();
        return std::sqrt(from * (form_.noisy_middle ? to : split(from, to, options).kept));
    }

    // Which step a call belongs to, and whether it is its second one.
    struct Place {
        std::size_t step;
        bool second;
    };
    Place place(const SamplerStep& at) const {
        int call = 0;
        for (std::size_t step = 0;; ++step) {
            const int inner = middle(at.levels, step, at.options) > 0;
            if (at.call <= call + inner) return {step, at.call > call};
            call += 1 + inner;
        }
    }

    const Form form_;
};

// Their users leave out the last level but one of these two.
struct Dpm2 final : TwoStage {
    Dpm2() : TwoStage({}) {}
    SamplerInfo info() const override {
        return {.name = "dpm_2", .title = "DPM2", .source = "arXiv:2206.00927; k-diffusion, sample_dpm_2", .schedule = "karras", .drop_last = true, .tools_drop_last = true};
    }
};

struct Dpm2Ancestral final : TwoStage {
    Dpm2Ancestral() : TwoStage({.ancestral = true}) {}
    SamplerInfo info() const override {
        return {.name = "dpm_2_ancestral", .title = "DPM2 a", .source = "k-diffusion, sample_dpm_2_ancestral", .schedule = "karras", .stochastic = true, .drop_last = true, .tools_drop_last = true};
    }
};

struct Dpmpp2sAncestral final : TwoStage {
    Dpmpp2sAncestral() : TwoStage({.picture = true, .ancestral = true}) {}
    SamplerInfo info() const override {
        return {.name = "dpmpp_2s_ancestral", .title = "DPM++ 2S a", .source = "arXiv:2211.01095; k-diffusion, sample_dpmpp_2s_ancestral", .schedule = "karras", .stochastic = true};
    }
};

struct DpmppSde final : TwoStage {
    DpmppSde() : TwoStage({.picture = true, .ancestral = true, .noisy_middle = true}) {}
    SamplerInfo info() const override {
        return {.name = "dpmpp_sde", .title = "DPM++ SDE", .source = "arXiv:2211.01095; k-diffusion, sample_dpmpp_sde", .schedule = "karras", .stochastic = true};
    }
};

}  // namespace
}  // namespace nodes

REGISTER_SAMPLER(dpm_2, nodes::Dpm2)
REGISTER_SAMPLER(dpm_2_ancestral, nodes::Dpm2Ancestral)
REGISTER_SAMPLER(dpmpp_2s_ancestral, nodes::Dpmpp2sAncestral)
REGISTER_SAMPLER(dpmpp_sde, nodes::DpmppSde)
