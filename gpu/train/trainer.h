// A training run: parameters, their optimiser's state, the average, the loss scale and the step, and the function that
// takes them one step on. Forward, backward, clipping, update and average of a step are one evaluation, of one plan that
// is made at the first step; old parameters and states are given for the new ones, so that memory does not double.
//
//     Trainer trainer(parameters, {.optimiser = adamw(), .schedule = {.rate = 3e-4}});
//     while (trainer.step_count() < 1000) trainer.step([&](const NamedTensors& w, const Tensors& batch) {
//         return mean(square(Net(Scope::tensors(w))(batch[0]) - batch[1]));
//     }, {next_batch()});
//     trainer.save("state.safetensors");
//
// A run that is saved, loaded and continued gives the same bytes as one that never stopped. Not thread-safe.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gpu/graph/tensor.h"
#include "gpu/train/ema.h"
#include "gpu/train/loss_scale.h"
#include "gpu/train/optimiser.h"
#include "gpu/train/schedule.h"

namespace gpu::train {

using NamedTensors = std::map<std::string, Tensor, std::less<>>;

struct Parameter {
    std::string name;
    Tensor value;                 // F32
    ParameterRates rates;
};

struct TrainOptions {
    OptimiserRef optimiser = adamw();
    Schedule schedule;
    double max_norm = 0;          // of all gradients together; 0: not clipped
    double max_value = 0;         // of each element of a gradient; 0: not clipped
    EmaOptions ema;
    std::optional<LossScaleOptions> loss_scale;
    // What activations are kept as: F16 or BF16 halve the memory between the forward and the backward pass (arXiv:1710.03740). Parameters, their
    // gradients, states and sums stay F32; F16 wants a loss scale. graph/autocast.h says what the loss builds of it.
    Dtype activations = Dtype::F32;
    // Parameters of equal rates lie in one tensor and are updated at once, where the optimiser treats elements alone.
    bool pack = true;
};

struct StepResult {
    double loss = 0;              // mean over the micro-batches
    double norm = 0;              // of the gradients before clipping; 0 where neither clipping nor loss scaling asks for it
    double rate = 0;              // of the schedule
    bool skipped = false;         // gradients were not finite (with loss scaling): nothing moved
};

class Trainer {
public:
    // Builds the loss (one element) from the parameters and one micro-batch. Must build the same graph at every step.
    using Loss = std::function<Tensor(const NamedTensors& parameters, const Tensors& batch)>;

    // Throws InvalidGraph for parameters that are no F32, have one name twice, or are none.
    Trainer(std::vector<Parameter> parameters, TrainOptions options);

    // One step on the mean gradient of some micro-batches, which follow one another in memory: only one holds activations.
    // Throws what evaluate() throws; after an error other than OutOfMemory the run must be loaded again.
    StepResult step(const Loss& loss, const std::vector<Tensors>& micro_batches);

    std::int64_t step_count() const { return step_; }    // steps tried, skipped ones included
    NamedTensors parameters() const;
    NamedTensors averages() const;                       // empty without an average

    // All of the state by name, with `extra` for what the caller keeps (data order, random streams). One file of safetensors.
    void save(const std::string& path, const std::map<std::string, std::string>& extra = {}) const;
    // Puts the run where the file left it; gives back what save() got as `extra`.
    // Throws BadFile when the file holds other parameters or another optimiser's state.
    std::map<std::string, std::string> load(const std::string& path);

private:
    // One tensor of one or several parameters.
    struct Bundle {
        std::vector<std::size_t> members;
        ParameterRates rates;
        Tensor value;
        Tensors state;
        Tensor average;           // empty without one
    };

    // What the backward pass gives: gradients, and where they are asked for their norm and whether they are finite (Bool).
    struct Backward {
        Tensors gradients;
        Tensor loss, norm, finite;   // [1]
    };

    void bundle(std::vector<Parameter> parameters);
    Backward differentiate(const Loss& loss, const std::vector<Tensors>& micro_batches) const;
    Backward prepare(const Backward& found) const;
    std::vector<Bundle> updated(const Backward& prepared, const StepNumbers& numbers) const;
    NamedTensors views(Tensor Bundle::*tensor) const;
    Tensor gather(const Bundle& bundle, const Tensors& parts) const;
    Tensors state_tensors() const;
    template <typename Self, typename Visit>
    static void for_each_kept(Self& self, Visit visit);

    struct Member {
        std::string name;
        Shape shape;
        std::int64_t offset = 0;  // elements, in its bundle
    };
    TrainOptions options_;
    std::vector<Member> members_;
    std::vector<Bundle> bundles_;
    LossScale scale_;
    std::int64_t step_ = 0, taken_ = 0;
};

}  // namespace gpu::train
