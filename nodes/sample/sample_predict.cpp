#include "gpu/ops.h"
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
    Param<double>     embedded{this, "embedded_guidance", "The scale of guidance that models like LCM are told", {.initial = 7, .min = 0, .max = 100, .step = 0.5, .advanced = true}};
    Out<Tensor>       towards {this, "positive", "The network's raw output under the positive conditioning"};
    Out<Tensor>       from    {this, "negative", "The same under the negative one; the positive's where there is none"};
    Out<Tensor>       others  {this, "others", "The same, one after the other, under what the model's guidance patches ask for"};
    Out<SamplingState> seen   {this, "state", "What the network saw: the state, as patches of the model changed it"};

    void compute(Eval& ev) const override {
        if (ev[state].call >= ev[schedule].steps()) ev.fail(state, "expected one of {} steps, got all of them done", ev[schedule].steps());
        // A scale other than 1, at which both are needed.
        const double scale = ev[embedded] == 1 && ev[model].info().guidance_width == 0 ? 2 : ev[embedded];
        const Predictions made = predict_step(ev[model], ev[schedule], ev[state], ev[positive], ev.has(negative) ? &ev[negative] : nullptr, scale);
        const Tensor against = made.negative ? made.negative : made.positive;
        gpu::Shape none = made.positive.shape();
        none.insert(none.begin(), 0);
        const Tensor more = made.others.empty() ? gpu::zeros(none) : gpu::stack(made.others, 0);      // [K, N, C, h, w]
        gpu::Tensors all{made.positive, against, more, made.state.sampler.x};
        if (made.state.attention) all.push_back(made.state.attention);
        gpu::evaluate(all);
        ev.set(towards, made.positive);
        ev.set(from, against);
        ev.set(others, more);
        ev.set(seen, made.state);
    }
};

}  // namespace

REGISTER_NODE(sample_predict, SamplePredict)

}  // namespace nodes
