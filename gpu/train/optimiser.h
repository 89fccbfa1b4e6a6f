// Optimisers as functions from (parameter, gradient, state) to (parameter, state), in public tensor functions: nothing is
// computed here, and a whole training step is one evaluation. All tensors of a state are leaves that the caller keeps.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gpu/graph/tensor.h"

namespace gpu::train {

// What changes from step to step; it never makes a new plan.
struct StepNumbers {
    std::int64_t step = 1;        // of the steps that were taken, counted from 1
    double rate = 1e-3;           // the schedule's rate at this step
};

// What sets one parameter apart from another.
struct ParameterRates {
    double rate = 1;              // times the schedule's rate
    double decay = 1;             // times the optimiser's weight decay; 0 for biases and norms, as is usual
    friend bool operator==(const ParameterRates&, const ParameterRates&) = default;
};

struct ParameterUpdate {
    Tensor parameter;
    Tensors state;
};

class Optimiser {
public:
    virtual ~Optimiser() = default;

    virtual std::string name() const = 0;
    // The tensors kept with a parameter, before its first step.
    virtual std::vector<std::string> state_names(const Shape& parameter) const = 0;
    virtual Tensors start(const Shape& parameter) const = 0;
    // Gradient and parameter have one shape, F32.
    virtual ParameterUpdate update(const Tensor& parameter, const Tensor& gradient, const Tensors& state,
                                   const StepNumbers& numbers, const ParameterRates& rates) const = 0;
    // True where every element is treated alone and the state has the parameter's shape: several parameters may then lie
    // in one tensor and be updated at once.
    virtual bool elementwise() const { return false; }
};

using OptimiserRef = std::shared_ptr<const Optimiser>;

struct SgdOptions {
    double momentum = 0;
    double dampening = 0;
    bool nesterov = false;
    double weight_decay = 0;
    bool decoupled = false;       // decay the parameter itself (arXiv:1711.05101) instead of adding it to the gradient
};
OptimiserRef sgd(const SgdOptions& options = {});

struct AdamWOptions {
    double beta1 = 0.9, beta2 = 0.999;
    double epsilon = 1e-8;
    double weight_decay = 0.01;
};
// Decoupled weight decay (arXiv:1711.05101).
OptimiserRef adamw(const AdamWOptions& options = {});

struct AdamW8Options {
    AdamWOptions adam;
    std::int64_t block = 2048;    // elements that share a scale
    std::int64_t smallest = 4096; // parameters of fewer elements keep their moments in F32
};
// Moments in 8 bits with block-wise dynamic codes (arXiv:2110.02861).
OptimiserRef adamw8(const AdamW8Options& options = {});

struct AdafactorOptions {
    double decay_power = 0.8;     // beta2 = 1 - step^-decay_power
    double epsilon_gradient = 1e-30, epsilon_parameter = 1e-3;
    double clip = 1;              // largest root mean square of an update
    double momentum = 0;
    double weight_decay = 0;
    bool relative_step = true;    // the rate is min(rate, 1 / sqrt(step)) times the parameter's root mean square
};
// Factored second moments (arXiv:1804.04235): of a tensor [O, ...] rows are axis 0 and columns all the rest.
OptimiserRef adafactor(const AdafactorOptions& options = {});

}  // namespace gpu::train
