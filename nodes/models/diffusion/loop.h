// The sampling loop in parts: what the Sample node does in one piece, and what the nodes of an opened loop do one by one.
//
//     const Sampling sampling = make_sampling(model.info(), {.sampler = "euler", .steps = 20});
//     SamplingState state = begin_sampling(sampling, latent, {.seed = 7});
//     for (int call = 0; call < sampling.steps(); ++call) {
//         const Guided guided = guide(model, sampling, state, positive, &negative, 7.5);
//         state = after_step(model.patches(), sampling, take_step(sampling, guided.state, guided.output));
//         gpu::evaluate(tensors_of(state));
//     }
#pragma once

#include "nodes/models/diffusion/predict.h"
#include "nodes/types/attention.h"
#include "nodes/types/sampling.h"

namespace nodes {

struct SamplingSettings {
    std::string sampler = "euler";
    std::string schedule = "auto";       // auto: what the sampler's authors or users pair it with
    int steps = 20;
    double denoise = 1;                  // below 1 the steps are the last ones of a schedule of steps / denoise
    int first = 0, last = 10000;         // of the steps: those that are run
    SamplerOptions options{};
    double rho = 7;                      // of Karras' schedule
    bool k_diffusion = false;            // levels as in k-diffusion and ComfyUI, whatever the sampler's authors do
};

// Throws Error{InvalidGraph} for names that there are not, and for a part without steps.
Sampling make_sampling(const ModelInfo& model, const SamplingSettings& settings);

struct BeginSettings {
    NoiseSource source = NoiseSource::Heddle;
    std::uint64_t seed = 0;
    bool add_noise = true;               // false: the latent is at the first level already
    int first_image = 0;                 // number of the latent's first picture in the batch whose noise is wanted
    bool same_noise = false;             // every picture of the batch has that one's noise
};

// The latent mixed with noise to the first level. Throws Error{InvalidGraph} for a latent of other channels.
SamplingState begin_sampling(const Sampling& sampling, const ModelInfo& model, const Latent& latent, const BeginSettings& settings);

// Predictions under positive, negative and what step patches ask for, combined. `negative` may be null; it is not predicted where
// the scale is 1 and no patch needs it, and with models that have guidance embedded.
struct Predictions {
    SamplingState state;                 // with x as step patches changed it
    Tensor positive, negative;           // negative may be empty
    gpu::Tensors others;                 // of step patches' conditionings, patch by patch
};
Predictions predict_step(const Model& model, const Sampling& sampling, const SamplingState& state, const Conditioning& positive,
                         const Conditioning* negative, double scale);

// Classifier-free guidance (arXiv:2207.12598): negative + scale (positive - negative).
Tensor guided_by(const Tensor& positive, const Tensor& negative, double scale);
// The same, or what step patches make of the predictions.
Tensor combine(const Patches& patches, const Sampling& sampling, const Predictions& predictions, double scale);

// One step of the sampler with the network's combined output.
SamplingState take_step(const Sampling& sampling, const SamplingState& state, const Tensor& output);

// What masks and step patches do once a step is over.
SamplingState blend(const Patches& patches, const Sampling& sampling, const SamplingState& state);

// All that must have values before the next step.
gpu::Tensors tensors_of(const SamplingState& state);
Latent latent_of(const SamplingState& state);
Latent denoised_of(const SamplingState& state);
// What a record among the model's patches heard so far; computes the mean.
Attention attention_of(const SamplingState& state);

}  // namespace nodes
