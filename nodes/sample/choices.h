// Parameters that several nodes of this folder share.
#pragma once

#include "nodes/core/node.h"
#include "nodes/models/diffusion/loop.h"

namespace nodes {

inline std::vector<std::string> sampler_names() {
    std::vector<std::string> names;
    for (const Sampler* sampler : samplers()) names.push_back(sampler->info().name);
    return names;
}

inline std::vector<std::string> schedule_choices() {
    std::vector<std::string> names = schedule_names();
    names.insert(names.begin(), "auto");
    return names;
}

inline const std::vector<std::string> noise_sources{"heddle", "torch-cpu", "cuda-philox"};      // in NoiseSource's order

// What says how a loop goes: of nodes that run one, and of the one that only describes it.
struct ScheduleParams {
    Param<Choice> sampler, schedule;
    Param<int>    steps;
    Param<double> denoise;
    Param<int>    first, last;
    Param<double> eta, noise_scale;
    Param<int>    order;
    Param<double> rho;
    Param<Choice> levels;

    explicit ScheduleParams(Node* node)
        : sampler    (node, "sampler", "How a prediction moves the latent to the next noise level", {.initial = "euler", .names = sampler_names()}),
          schedule   (node, "schedule", "Which noise levels are visited; auto: what the sampler is usually paired with", {.initial = "auto", .names = schedule_choices()}),
          steps      (node, "steps", "How many steps", {.initial = 20, .min = 1, .max = 1000}),
          denoise    (node, "denoise", "How much of the latent is made anew: 1 all of it; below 1 the last steps of a longer schedule", {.initial = 1, .min = 0, .max = 1, .step = 0.05}),
          first      (node, "start_step", "The step to begin with, for models that take turns", {.initial = 0, .min = 0, .max = 1000, .advanced = true}),
          last       (node, "end_step", "The step to stop before; the latent keeps the noise that is left there", {.initial = 1000, .min = 1, .max = 1000, .advanced = true}),
          eta        (node, "eta", "Share of the noise that stochastic samplers make new; -1: the sampler's usual", {.initial = -1, .min = -1, .max = 10, .step = 0.1, .advanced = true}),
          noise_scale(node, "noise_scale", "Multiplies the noise that stochastic samplers add", {.initial = 1, .min = 0, .max = 10, .step = 0.05, .advanced = true}),
          order      (node, "order", "Order of UniPC", {.initial = 2, .min = 1, .max = 3, .advanced = true}),
          rho        (node, "rho", "Exponent of the karras schedule", {.initial = 7, .min = 0.1, .max = 100, .advanced = true}),
          levels     (node, "levels", "Where noise levels lie: as the sampler's authors place them, or as k-diffusion, ComfyUI and A1111 do",
                      {.initial = "usual", .names = {"usual", "k-diffusion"}, .advanced = true}) {}

    // Of a denoising strength above 0.
    SamplingSettings settings(const Eval& ev) const {
        SamplingSettings made{.sampler = ev[sampler].name, .schedule = ev[schedule].name, .steps = ev[steps], .denoise = ev[denoise], .first = ev[first],
                              .last = ev[last], .options = {.noise_scale = ev[noise_scale], .order = ev[order]}, .rho = ev[rho], .k_diffusion = ev[levels].name == "k-diffusion"};
        if (ev[eta] >= 0) made.options.eta = ev[eta];
        return made;
    }
};

}  // namespace nodes
