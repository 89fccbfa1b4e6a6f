// UniPC (Zhao et al., arXiv:2302.04867) over the data prediction: every call first corrects the step that led to it, then predicts the
// next. One call a step. Its two choices of B(h), e^h - 1 (bh2) and h (bh1, for few steps without guidance), differ where
// the paper takes a coefficient of 1/2; where coefficients are solved for, B(h) cancels.
#include <algorithm>
#include <cmath>

#include "gpu/ops.h"
#include "nodes/sampling/sampler.h"

namespace nodes {
namespace {

// Solves a x = b in place of b, n at most 3.
std::vector<double> solve(std::vector<std::vector<double>> a, std::vector<double> b) {
    const std::size_t n = b.size();
    for (std::size_t i = 0; i < n; ++i) {
        std::size_t pivot = i;
        for (std::size_t r = i + 1; r < n; ++r)
            if (std::abs(a[r][i]) > std::abs(a[pivot][i])) pivot = r;
        std::swap(a[i], a[pivot]);
        std::swap(b[i], b[pivot]);
        for (std::size_t r = 0; r < n; ++r) {
            if (r == i) continue;
            const double factor = a[r][i] / a[i][i];
            for (std::size_t c = i; c < n; ++c) a[r][c] -= factor * a[i][c];
            b[r] -= factor * b[i];
        }
    }
    for (std::size_t i = 0; i < n; ++i) b[i] /= a[i][i];
    return b;
}

struct UniPc : Sampler {
    explicit UniPc(bool plain = false) : plain_(plain) {}

    SamplerInfo info() const override {
        return {.name = plain_ ? "unipc_bh1" : "unipc", .title = plain_ ? "UniPC bh1" : "UniPC", .source = "arXiv:2302.04867", .schedule = "linspace", .drop_last = true,
                .tools_drop_last = true, .whole_timesteps = true, .end = EndLevel::Lowest};
    }

    // A step from level `from` to `to` of some order; `ratios` are (lambda_k - lambda_from) / h of the earlier predictions.
    struct Update {
        double keep, grow, correct;            // of x, of m0, and B(h) times the target's signal
        std::vector<double> ratios, weights;   // weights of (m_k - m0) / ratio_k
        double last = 0;                       // of m_to - m0, corrector only
    };
    Update update(const SamplerStep& at, int from, const NoiseLevel& to, int order, bool corrector) const {
        const NoiseLevel& start = at.calls[static_cast<std::size_t>(from)];
        const double h = to.lambda() - start.lambda(), phi = std::expm1(-h), b_of_h = plain_ ? -h : phi;
        Update made{.keep = to.noise / start.noise, .grow = -to.signal * phi, .correct = -to.signal * b_of_h};
        for (int k = 1; k < order; ++k)
            made.ratios.push_back((at.calls[static_cast<std::size_t>(from - k)].lambda() - start.lambda()) / h);
        if (order == 1) {
            made.last = 0.5;
            return made;
        }
        if (order == 2 && !corrector) {
            made.weights = {0.5};
            return made;
        }
        std::vector<double> nodes = made.ratios;
        if (corrector) nodes.push_back(1);
        std::vector<std::vector<double>> r(nodes.size());
        std::vector<double> b;
        double g = phi / -h - 1, factorial = 1;
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            for (const double node : nodes) r[i].push_back(std::pow(node, static_cast<double>(i)));
            b.push_back(g * factorial / b_of_h);
            factorial *= static_cast<double>(i) + 2;
            g = g / -h - 1 / factorial;
        }
        made.weights = solve(r, b);
        if (corrector) {
            made.last = made.weights.back();
            made.weights.pop_back();
        }
        return made;
    }
    static gpu::Tensor apply(const Update& made, const gpu::Tensor& x, const gpu::Tensor& m0, const gpu::Tensors& earlier) {
        gpu::Tensor moved = x * made.keep + m0 * made.grow;
        for (std::size_t k = 0; k < made.weights.size(); ++k)
            moved = moved + (earlier[k] - m0) * (made.correct * made.weights[k] / made.ratios[k]);
        return moved;
    }

    static int order_at(const SamplerStep& at, int call) {
        const int left = static_cast<int>(at.calls.size()) - call;
        return std::max(1, std::min({at.options.order, 3, left, call + 1}));
    }

    // The history holds earlier predictions, newest first, and last of all the x that the previous step started from.
    SamplerState step(const SamplerStep& at, const SamplerState& state, const Prediction& predicted) const override {
        const gpu::Tensor& m = predicted.x0;
        gpu::Tensors earlier = state.history;
        gpu::Tensor x = state.x;
        if (at.call > 0) {
            const gpu::Tensor began = earlier.back();
            earlier.pop_back();
            const Update correction = update(at, at.call - 1, at.here(), order_at(at, at.call - 1), true);
            const gpu::Tensors before(earlier.begin() + 1, earlier.end());
            x = apply(correction, began, earlier[0], before) + (m - earlier[0]) * (correction.correct * correction.last);
        }
        gpu::Tensors history = remember(m, earlier, 3);
        const gpu::Tensor moved = at.next().noise == 0 ? m * at.next().signal
                                                       : apply(update(at, at.call, at.next(), order_at(at, at.call), false), x, m, earlier);
        history.push_back(x);
        return {moved, history};
    }

private:
    bool plain_;      // B(h) = h
};

struct UniPcBh1 final : UniPc {
    UniPcBh1() : UniPc(true) {}
};

}  // namespace
}  // namespace nodes

REGISTER_SAMPLER(unipc, nodes::UniPc)
REGISTER_SAMPLER(unipc_bh1, nodes::UniPcBh1)
