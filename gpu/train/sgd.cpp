#include "gpu/base/format.h"
#include "gpu/ops.h"
#include "gpu/train/number.h"
#include "gpu/train/optimiser.h"

namespace gpu::train {
namespace {

struct Sgd final : Optimiser {
    explicit Sgd(const SgdOptions& options) : o(options) {}
    const SgdOptions o;

    std::string name() const override { return "sgd"; }
    std::vector<std::string> state_names(const Shape&) const override {
        return o.momentum == 0 ? std::vector<std::string>() : std::vector<std::string>{"momentum"};
    }
    Tensors start(const Shape& shape) const override { return o.momentum == 0 ? Tensors() : Tensors{zeros(shape)}; }
    bool elementwise() const override { return true; }

    ParameterUpdate update(const Tensor& p, const Tensor& gradient, const Tensors& state, const StepNumbers& n,
                           const ParameterRates& rates) const override {
        const double rate = n.rate * rates.rate, decay = o.weight_decay * rates.decay;
        const std::string group = format(" of {}", rates.rate), decayed = format(" of {} and {}", rates.rate, rates.decay);
        Tensor g = gradient, start = p;
        if (decay != 0 && o.decoupled) start = p * number("sgd.shrink" + decayed, 1 - rate * decay, p.rank());
        if (decay != 0 && !o.decoupled) g = p * decay + g;
        Tensors next;
        if (o.momentum != 0) {
            const double share = n.step == 1 ? 1 : 1 - o.dampening;   // the first gradient counts whole
            next = {state[0] * o.momentum + g * number("sgd.share", share, p.rank())};
            g = o.nesterov ? g + next[0] * o.momentum : next[0];
        }
        return {start - g * number("sgd.rate" + group, rate, p.rank()), next};
    }
};

}  // namespace

OptimiserRef sgd(const SgdOptions& options) { return std::make_shared<const Sgd>(options); }

}  // namespace gpu::train
