#include <chrono>

#include "gpu/run/evaluate.h"
#include "nodes/sample/choices.h"

namespace nodes {
namespace {

constexpr auto preview_pause = std::chrono::milliseconds(400);
constexpr int preview_side = 512;

struct SampleRun final : Node {
    SampleRun() : Node({.id = "sample.run", .version = 1, .title = "Sample", .category = "Sample",
                        .help = "Makes a latent of noise, step by step, as the conditioning says. A latent that is not empty is an image to start from: "
                                "lower denoise then. One with a mask is repainted where the mask is white."}) {}

    In<Model>        model   {this, "model", "The diffusion model, with its patches"};
    In<Conditioning> positive{this, "positive", "What to make"};
    In<Conditioning> negative{this, "negative", "What to avoid; without it there is no guidance", {.optional = true}};
    In<Latent>       latent  {this, "latent", "Size to make, or a latent to start from"};
    Param<Seed>      seed    {this, "seed", "Another seed, another picture"};
    Param<double>    guidance{this, "guidance", "Scale of classifier-free guidance: how strictly the conditioning is followed; 1 is none", {.initial = 7, .min = 0, .max = 100, .step = 0.5}};
    ScheduleParams   schedule{this};
    Param<bool>      add_noise{this, "add_noise", "Off: the latent comes with noise, from a sampler that stopped early", {.initial = true, .advanced = true}};
    Param<NoiseSource> source{this, "noise", "Whose random numbers: heddle's do not depend on batch or device; the others repeat the pictures of other tools",
                              {.initial = NoiseSource::Heddle, .names = noise_sources, .advanced = true}};
    Param<int>       first_image{this, "first_image", "Number of the first picture: makes later pictures of a batch alone", {.initial = 0, .min = 0, .max = 1000000, .advanced = true}};
    Param<bool>      same_noise{this, "same_noise", "All pictures of a batch begin with the first one's noise: for prompts that change bit by bit", {.initial = false, .advanced = true}};
    Out<Latent>      sampled {this, "latent", "The result"};
    Out<Latent>      denoised{this, "denoised", "The picture that the last step predicted: the result without the noise that is left"};
    Out<Attention>   attention{this, "attention", "Where the network looked for each token, of a model with attention.record before it"};

    void compute(Eval& ev) const override {
        const Model& net = ev[model];
        if (ev[schedule.denoise] == 0) {      // nothing is made anew
            ev.set(sampled, ev[latent]);
            ev.set(denoised, ev[latent]);
            ev.set(attention, Attention{});
            return;
        }
        const Sampling sampling = make_sampling(net.info(), schedule.settings(ev));
        const Conditioning* against = ev.has(negative) ? &ev[negative] : nullptr;
        SamplingState state = begin_sampling(sampling, net.info(), ev[latent], {ev[source], ev[seed], ev[add_noise], ev[first_image], ev[same_noise]});
        gpu::evaluate(tensors_of(state));      // so that the first step has the plan of the others
        auto shown = std::chrono::steady_clock::now();
        for (int call = 0; call < sampling.steps(); ++call) {
            ev.progress(call, sampling.steps());
            const Predictions predictions = predict_step(net, sampling, state, ev[positive], against, ev[guidance]);
            const Tensor output = combine(net.patches(), sampling, predictions, ev[guidance]);
            state = blend(net.patches(), sampling, take_step(sampling, predictions.state, output));
            gpu::evaluate(tensors_of(state));
            if (const auto now = std::chrono::steady_clock::now(); now - shown > preview_pause) {
                ev.preview(latent_preview(denoised_of(state), preview_side));
                shown = now;
            }
        }
        ev.progress(sampling.steps(), sampling.steps());
        ev.set(sampled, latent_of(state));
        ev.set(denoised, denoised_of(state));
        ev.set(attention, attention_of(state));
    }
};

}  // namespace

REGISTER_NODE(sample_run, SampleRun)

}  // namespace nodes
