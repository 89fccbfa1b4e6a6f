#include "gpu/train/adamw.h"

#include <cmath>

#include "gpu/base/format.h"
#include "gpu/ops.h"
#include "gpu/train/clip.h"
#include "gpu/train/number.h"

namespace gpu::train {
namespace {

struct AdamW final : Optimiser {
    explicit AdamW(const AdamWOptions& options) : o(options) {}
    const AdamWOptions o;

    std::string name() const override { return "adamw"; }
    std::vector<std::string> state_names(const Shape&) const override { return {"moment1", "moment2"}; }
    Tensors start(const Shape& shape) const override { return {zeros(shape), zeros(shape)}; }
    bool elementwise() const override { return true; }

    ParameterUpdate update(const Tensor& p, const Tensor& gradient, const Tensors& state, const StepNumbers& n,
                           const ParameterRates& rates) const override {
        const Moments moments = adam_moments({state[0], state[1]}, gradient, o);
        return {adam_step(p, moments, o, n, rates), {moments.first, moments.second}};
    }
};

}  // namespace

Moments adam_moments(const Moments& old, const Tensor& g, const AdamWOptions& o) {
    return {old.first + (g - old.first) * (1 - o.beta1), old.second * o.beta2 + square(computed_for(g, old.second)) * (1 - o.beta2)};
}

Tensor adam_step(const Tensor& p, const Moments& moments, const AdamWOptions& o, const StepNumbers& n, const ParameterRates& rates) {
    const auto step = static_cast<double>(n.step);
    const double rate = n.rate * rates.rate;
    const double correction1 = 1 - std::pow(o.beta1, step), correction2 = 1 - std::pow(o.beta2, step);
    const std::string group = format(" of {}", rates.rate);
    // sqrt(v / correction2) + eps, with one multiplication
    const Tensor root = sqrt(moments.second) * number("adam.root", 1 / std::sqrt(correction2), p.rank()) + o.epsilon;
    const Tensor moved = moments.first / root * number("adam.rate" + group, rate / correction1, p.rank());
    const double decay = o.weight_decay * rates.decay;
    if (decay == 0) return p - moved;
    return p * number("adam.shrink" + group + format(" and {}", rates.decay), 1 - rate * decay, p.rank()) - moved;
}

OptimiserRef adamw(const AdamWOptions& options) { return std::make_shared<const AdamW>(options); }

}  // namespace gpu::train
