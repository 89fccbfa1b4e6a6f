#include "gpu/run/evaluate.h"
#include "nodes/sample/choices.h"

namespace nodes {
namespace {

struct SamplePredict final : Node {
    SamplePredict() : Node({.id = "sample.predict", .version = 1, .title = "Predict", .category = "Sample",
                            .help = "Asks the model what it sees in the latent at this step, once for each conditioning."}) {}

    In<Model>         model   {this, "model", "The diffusion model, with its patches"};
    In<Sampling>      schedule{this, "schedule", "Sampler and noise levels"};
    In<SamplingState> state   {this, "state", "Before the step"};
    In<Conditioning>  positive{this, "positive", "What to make"};
    In<Conditioning>  negative{this, "negative", "What to avoid", {.optional = true}};
    Out<Tensor>       towards {this, "positive", "The network's raw output under the positive conditioning"};
    Out<Tensor>       from    {this, "negative", "The same under the negative one; the positive's where there is none"};

    void compute(Eval& ev) const override {
        constexpr double wanted = 2;      // a scale at which both are needed
        const Predictions made = predict_step(ev[model], ev[schedule], ev[state], ev[positive], ev.has(negative) ? &ev[negative] : nullptr, wanted);
        const Tensor against = made.negative ? made.negative : made.positive;
        gpu::evaluate({made.positive, against});
        ev.set(towards, made.positive);
        ev.set(from, against);
    }
};

}  // namespace

REGISTER_NODE(sample_predict, SamplePredict)

}  // namespace nodes
