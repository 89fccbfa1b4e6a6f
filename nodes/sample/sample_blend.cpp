#include "gpu/run/evaluate.h"
#include "nodes/sample/choices.h"

namespace nodes {
namespace {

struct SampleBlend final : Node {
    SampleBlend() : Node({.id = "sample.blend", .version = 1, .title = "Blend", .category = "Sample",
                          .help = "Puts back what the latent's mask keeps, with the noise of the level, after a step. With the model its patches act that change the latent "
                                  "between steps."}) {}

    In<Sampling>       schedule{this, "schedule", "Sampler and noise levels"};
    In<SamplingState>  state   {this, "state", "After the step"};
    In<Model>          model   {this, "model", "The model whose patches act between steps", {.optional = true}};
    Out<SamplingState> blended {this, "state", "The same where nothing is masked"};
    Out<Latent>        latent  {this, "latent", "The latent as it stands"};
    Out<Attention>     attention{this, "attention", "Where the network looked so far, of a model with attention.record"};

    void compute(Eval& ev) const override {
        if (ev[state].call < 1) ev.fail(state, "expected a state after a step, got one before the first");
        SamplingState made = blend(ev.has(model) ? ev[model].patches() : Patches{}, ev[schedule], ev[state]);
        gpu::evaluate(tensors_of(made));
        ev.set(latent, latent_of(made));
        ev.set(attention, attention_of(made));
        ev.set(blended, std::move(made));
    }
};

}  // namespace

REGISTER_NODE(sample_blend, SampleBlend)

}  // namespace nodes
