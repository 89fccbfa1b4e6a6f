#include <algorithm>
#include <cmath>

#include "gpu/base/format.h"
#include "gpu/ops.h"
#include "gpu/train/clip.h"
#include "gpu/train/number.h"
#include "gpu/train/optimiser.h"

namespace gpu::train {
namespace {

// Root mean square of all elements, [1].
Tensor rms(const Tensor& x) { return sqrt(sum_of_squares(x) * (1 / static_cast<double>(x.element_count()))); }

struct Adafactor final : Optimiser {
    explicit Adafactor(const AdafactorOptions& options) : o(options) {}
    const AdafactorOptions o;

    static bool is_matrix(const Shape& shape) { return shape.size() >= 2; }
    static Shape as_matrix(const Shape& shape) { return {shape[0], shape[0] ? element_count(shape) / shape[0] : 0}; }

    std::string name() const override { return "adafactor"; }
    std::vector<std::string> state_names(const Shape& shape) const override {
        std::vector<std::string> names = is_matrix(shape) ? std::vector<std::string>{"rows", "columns"} : std::vector<std::string>{"moment2"};
        if (o.momentum != 0) names.push_back("moment1");
        return names;
    }
    Tensors start(const Shape& shape) const override {
        Tensors state{zeros(shape)};
        if (is_matrix(shape)) state = {zeros({shape[0], 1}), zeros({1, as_matrix(shape)[1]})};
        if (o.momentum != 0) state.push_back(zeros(shape));
        return state;
    }

    ParameterUpdate update(const Tensor& p, const Tensor& gradient, const Tensors& state, const StepNumbers& n,
                           const ParameterRates& rates) const override {
        const double beta2 = 1 - std::pow(static_cast<double>(n.step), -o.decay_power);
        ParameterUpdate result;
        const auto averaged = [&](const Tensor& old, const Tensor& now) {
            const Tensor next = old + (now - old) * number("adafactor.share", 1 - beta2, old.rank());
            result.state.push_back(next);
            return next;
        };
        Tensor step;
        if (is_matrix(p.shape())) {
            const Tensor g = reshape(gradient, as_matrix(p.shape())), squares = square(g) + o.epsilon_gradient;
            const Tensor rows = averaged(state[0], mean(squares, {1})), columns = averaged(state[1], mean(squares, {0}));
            step = reshape(g * rsqrt(rows / mean(rows, {0})) * rsqrt(columns), p.shape());
        } else {
            step = gradient * rsqrt(averaged(state[0], square(gradient) + o.epsilon_gradient));
        }
        step = scaled(step, 1.0 / maximum(rms(step) / o.clip, 1.0));

        const std::string group = format(" of {}", rates.rate);
        double rate = n.rate;
        if (o.relative_step) rate = std::min(rate, 1 / std::sqrt(static_cast<double>(n.step)));
        Tensor size = number("adafactor.rate" + group, rate * rates.rate, 1);
        if (o.relative_step) size = size * maximum(rms(p), o.epsilon_parameter);
        step = scaled(step, size);
        if (o.momentum != 0) {
            step = state.back() + (step - state.back()) * (1 - o.momentum);
            result.state.push_back(step);
        }
        const double decay = o.weight_decay * rates.decay;
        result.parameter = decay == 0 ? p - step : p - scaled(p, size * decay) - step;
        return result;
    }
};

}  // namespace

OptimiserRef adafactor(const AdafactorOptions& options) { return std::make_shared<const Adafactor>(options); }

}  // namespace gpu::train
