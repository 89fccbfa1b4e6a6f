#include "gpu/run/evaluate.h"
#include "nodes/sample/choices.h"

namespace nodes {
namespace {

struct SampleBegin final : Node {
    SampleBegin() : Node({.id = "sample.begin", .version = 1, .title = "Begin Sampling", .category = "Sample",
                          .help = "Mixes a latent with noise to the schedule's first level: what a sampling loop begins with."}) {}

    In<Model>    model   {this, "model", "The model that will be sampled"};
    In<Sampling> schedule{this, "schedule", "Sampler and noise levels"};
    In<Latent>   latent  {this, "latent", "Size to make, or a latent to start from; its mask says what is repainted"};
    Param<Seed>  seed    {this, "seed", "Another seed, another picture"};
    Param<bool>  add_noise{this, "add_noise", "Off: the latent comes with noise", {.initial = true}};
    Param<NoiseSource> source{this, "noise", "Whose random numbers", {.initial = NoiseSource::Heddle, .names = noise_sources, .advanced = true}};
    Param<int>   first_image{this, "first_image", "Number of the first picture: makes later pictures of a batch alone", {.initial = 0, .min = 0, .max = 1000000, .advanced = true}};
    Param<bool>      same_noise{this, "same_noise", "All pictures of a batch begin with the first one's noise: for prompts that change bit by bit", {.initial = false, .advanced = true}};
    Out<SamplingState> state{this, "state", "Before the first step"};

    void compute(Eval& ev) const override {
        SamplingState made = begin_sampling(ev[schedule], ev[model].info(), ev[latent], {ev[source], ev[seed], ev[add_noise], ev[first_image], ev[same_noise]});
        gpu::evaluate(tensors_of(made));
        ev.set(state, std::move(made));
    }
};

}  // namespace

REGISTER_NODE(sample_begin, SampleBegin)

}  // namespace nodes
