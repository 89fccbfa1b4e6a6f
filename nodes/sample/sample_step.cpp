#include "gpu/run/evaluate.h"
#include "nodes/sample/choices.h"

namespace nodes {
namespace {

struct SampleStep final : Node {
    SampleStep() : Node({.id = "sample.step", .version = 1, .title = "Step", .category = "Sample",
                         .help = "Moves the latent to the next noise level, as the prediction and the sampler say."}) {}

    In<Sampling>      schedule  {this, "schedule", "Sampler and noise levels"};
    In<SamplingState> state     {this, "state", "Before the step"};
    In<Tensor>        prediction{this, "prediction", "The network's output, guided"};
    Out<SamplingState> next     {this, "state", "After the step"};
    Out<Latent>       denoised  {this, "denoised", "The picture that the prediction says"};

    void compute(Eval& ev) const override {
        if (ev[state].call >= ev[schedule].steps()) ev.fail(state, "expected one of {} steps, got all of them done", ev[schedule].steps());
        if (ev[prediction].shape() != ev[state].sampler.x.shape())
            ev.fail(prediction, "expected {} as the latent has, got {}", gpu::to_string(ev[state].sampler.x.shape()), gpu::to_string(ev[prediction].shape()));
        SamplingState made = take_step(ev[schedule], ev[state], ev[prediction]);
        gpu::evaluate(tensors_of(made));
        ev.set(denoised, denoised_of(made));
        ev.set(next, std::move(made));
    }
};

}  // namespace

REGISTER_NODE(sample_step, SampleStep)

}  // namespace nodes
