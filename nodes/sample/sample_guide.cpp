#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/sample/choices.h"

namespace nodes {
namespace {

struct SampleGuide final : Node {
    SampleGuide() : Node({.id = "sample.guide", .version = 1, .title = "Guide", .category = "Sample",
                          .help = "Classifier-free guidance: goes from the negative prediction towards the positive one, and beyond it. With model, schedule "
                                  "and state the model's guidance patches act."}) {}

    In<Tensor>        positive{this, "positive", "Prediction under the positive conditioning"};
    In<Tensor>        negative{this, "negative", "Prediction under the negative one"};
    In<Tensor>        others  {this, "others", "Predictions that guidance patches asked for", {.optional = true}};
    In<Model>         model   {this, "model", "The model whose guidance patches act", {.optional = true}};
    In<Sampling>      schedule{this, "schedule", "Sampler and noise levels, for patches", {.optional = true}};
    In<SamplingState> state   {this, "state", "What the network saw, for patches", {.optional = true}};
    Param<double>     guidance{this, "guidance", "1 takes the positive prediction as it is", {.initial = 7, .min = 0, .max = 100, .step = 0.5}};
    Out<Tensor>       guided  {this, "prediction", "negative + guidance (positive - negative), or what patches make of it"};

    void compute(Eval& ev) const override {
        const Tensor &c = ev[positive], &u = ev[negative];
        if (c.shape() != u.shape()) ev.fail(negative, "expected {} as the positive prediction has, got {}", gpu::to_string(c.shape()), gpu::to_string(u.shape()));
        Tensor made;
        if (ev.has(model)) {
            if (!ev.has(schedule) || !ev.has(state)) ev.fail(ev.has(schedule) ? static_cast<const Handle&>(state) : schedule, "expected one beside the model, got none");
            Predictions all{.state = ev[state], .positive = c, .negative = u, .others = {}};
            for (std::int64_t i = 0; ev.has(others) && i < ev[others].size(0); ++i) all.others.push_back(gpu::squeeze(gpu::slice(ev[others], 0, i, i + 1), {0}));
            made = combine(ev[model].patches(), ev[schedule], all, ev[guidance]);
        } else {
            made = guided_by(c, u, ev[guidance]);
        }
        gpu::evaluate({made});
        ev.set(guided, made);
    }
};

}  // namespace

REGISTER_NODE(sample_guide, SampleGuide)

}  // namespace nodes
