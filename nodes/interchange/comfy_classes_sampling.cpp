// ComfyUI's samplers, schedulers and guiders. What its custom sampling spreads over small nodes is parameters of one
// here.
#include "nodes/interchange/comfy_values.h"

namespace nodes {
namespace {

std::vector<ComfyRule> with_rules(std::vector<ComfyRule> rules, std::initializer_list<ComfyRule> more) {
    rules.insert(rules.end(), more);
    return rules;
}

// Where the noise comes from is what makes seeds worth carrying over.
std::vector<ComfyRule> sampler_rules(const char* seed) {
    return {link("model", "model"),         link("positive", "positive"), link("negative", "negative"),
            link("latent_image", "latent"), value(seed, "seed"),          value("cfg", "guidance"),
            fixed("noise", "torch-cpu"),    fixed("levels", "k-diffusion")};
}

std::vector<ComfyRule> choice_rules() {
    return {value("sampler_name", "sampler", sampler_name()), value("sampler_name", "order", sampler_order()),
            value("scheduler", "schedule", scheduler_name()), value("steps")};
}

std::vector<ComfyRule> joined(std::vector<ComfyRule> a, const std::vector<ComfyRule>& b,
                              std::initializer_list<ComfyRule> c) {
    a.insert(a.end(), b.begin(), b.end());
    return with_rules(std::move(a), c);
}

// Told to leave no noise though it stops early, ComfyUI's sampler goes straight to the picture with its last step.
bool ends_clean(const ComfyValues& values) {
    return values.value("return_with_leftover_noise").toString() != "enable" &&
           values.value("end_at_step").toInt(10000) < values.value("steps").toInt(20);
}
bool ends_as_it_is(const ComfyValues& values) { return !ends_clean(values); }

ComfyClass settings(const char* name, const char* inputs, const char* output, std::vector<ComfyRule> rules,
                    const char* note = "") {
    return {.name = name,
            .inputs = inputs,
            .outputs = output,
            .parts = {{"", "", std::move(rules)}},
            .note = note,
            .told = *note != 0,
            .exported = false};
}

const char* const table_ends = "the ends of the schedule are the model's own";

}  // namespace

std::vector<ComfyClass> comfy_classes_sampling() {
    return {
        {.name = "KSampler",
         .inputs = "model:MODEL seed:INT!=0 steps:INT=20 cfg:FLOAT=8 sampler_name:COMBO=euler scheduler:COMBO=normal "
                   "positive:CONDITIONING "
                   "negative:CONDITIONING latent_image:LATENT denoise:FLOAT=1",
         .outputs = "LATENT",
         .parts = {{"sample.run", "sample",
                    joined(sampler_rules("seed"), choice_rules(), {value("denoise"), out("LATENT", "latent")})}}},
        {.name = "KSamplerAdvanced",
         .inputs = "model:MODEL add_noise:COMBO=enable noise_seed:INT!=0 steps:INT=20 cfg:FLOAT=8 "
                   "sampler_name:COMBO=euler scheduler:COMBO=normal "
                   "positive:CONDITIONING negative:CONDITIONING latent_image:LATENT start_at_step:INT=0 "
                   "end_at_step:INT=10000 "
                   "return_with_leftover_noise:COMBO=disable",
         .outputs = "LATENT",
         .parts = {{"sample.run", "sample",
                    joined(
                        sampler_rules("noise_seed"), choice_rules(),
                        {value("add_noise", "add_noise", enabled()), value("start_at_step", "start_step"),
                         when(
                             [](const ComfyValues& values) {
                                 return values.value("end_at_step").toInt(10000) < values.value("steps").toInt(20);
                             },
                             value("end_at_step", "end_step")),
                         when(ends_as_it_is, out("LATENT", "latent")), when(ends_clean, out("LATENT", "denoised"))})}}},
        {.name = "SamplerCustom",
         .inputs = "model:MODEL add_noise:BOOLEAN=true noise_seed:INT!=0 cfg:FLOAT=8 positive:CONDITIONING "
                   "negative:CONDITIONING sampler:SAMPLER "
                   "sigmas:SIGMAS latent_image:LATENT",
         .outputs = "output denoised_output",
         .parts = {{"sample.run", "sample",
                    with_rules(sampler_rules("noise_seed"),
                               {value("add_noise", "add_noise", enabled()), fold("sampler"), fold("sigmas"),
                                out("output", "latent"), out("denoised_output", "denoised")})}},
         .exported = false},
        {.name = "SamplerCustomAdvanced",
         .inputs = "noise:NOISE guider:GUIDER sampler:SAMPLER sigmas:SIGMAS latent_image:LATENT",
         .outputs = "output denoised_output",
         .parts = {{"sample.run",
                    "sample",
                    {fold("noise"), fold("guider"), fold("sampler"), fold("sigmas"), link("latent_image", "latent"),
                     fixed("noise", "torch-cpu"), fixed("levels", "k-diffusion"), out("output", "latent"), out("denoised_output", "denoised")}}},
         .exported = false},

        settings("KSamplerSelect", "sampler_name:COMBO=euler", "SAMPLER",
                 {value("sampler_name", "sampler", sampler_name()), value("sampler_name", "order", sampler_order())}),
        settings("SamplerEulerAncestral", "eta:FLOAT=1 s_noise:FLOAT=1", "SAMPLER",
                 {fixed("sampler", "euler_ancestral"), value("eta"), value("s_noise", "noise_scale")}),
        settings("SamplerDPMPP_2M_SDE", "solver_type:COMBO=midpoint eta:FLOAT=1 s_noise:FLOAT=1 noise_device:COMBO=gpu",
                 "SAMPLER", {fixed("sampler", "dpmpp_2m_sde"), value("eta"), value("s_noise", "noise_scale")}),
        settings("SamplerDPMPP_SDE", "eta:FLOAT=1 s_noise:FLOAT=1 r:FLOAT=0.5 noise_device:COMBO=gpu", "SAMPLER",
                 {fixed("sampler", "dpmpp_sde"), value("eta"), value("s_noise", "noise_scale")}, "with r of 0.5"),
        settings("SamplerLMS", "order:INT=4", "SAMPLER", {fixed("sampler", "lms")}, "of order 4"),

        settings("BasicScheduler", "model:MODEL scheduler:COMBO=normal steps:INT=20 denoise:FLOAT=1", "SIGMAS",
                 {value("scheduler", "schedule", scheduler_name()), value("steps"), value("denoise")}),
        settings("KarrasScheduler", "steps:INT=20 sigma_max:FLOAT=14.614642 sigma_min:FLOAT=0.0291675 rho:FLOAT=7",
                 "SIGMAS", {fixed("schedule", "karras"), value("steps"), value("rho")}, table_ends),
        settings("ExponentialScheduler", "steps:INT=20 sigma_max:FLOAT=14.614642 sigma_min:FLOAT=0.0291675", "SIGMAS",
                 {fixed("schedule", "exponential"), value("steps")}, table_ends),
        settings("PolyexponentialScheduler",
                 "steps:INT=20 sigma_max:FLOAT=14.614642 sigma_min:FLOAT=0.0291675 rho:FLOAT=1", "SIGMAS",
                 {fixed("schedule", "exponential"), value("steps")},
                 "as with a rho of 1; the ends are the model's own"),
        settings("SDTurboScheduler", "model:MODEL steps:INT=1 denoise:FLOAT=1", "SIGMAS",
                 {fixed("schedule", "trailing"), value("steps"), value("denoise")},
                 "of ten timesteps it takes the first ones, here they are spread"),
        settings(
            "AlignYourStepsScheduler", "model_type:COMBO=SD1 steps:INT=10 denoise:FLOAT=1", "SIGMAS",
            {value("model_type", "schedule", names({{"SD1", "ays_sd15"}, {"SDXL", "ays_sdxl"}, {"SVD", "ays_svd"}})),
             value("steps"), value("denoise")}),
        {.name = "SplitSigmas",
         .inputs = "sigmas:SIGMAS step:INT=0",
         .outputs = "high_sigmas low_sigmas",
         .parts = {{"", "high_sigmas", {fold("sigmas"), value("step", "end_step")}},
                   {"", "low_sigmas", {fold("sigmas"), value("step", "start_step")}}},
         .exported = false},

        settings("RandomNoise", "noise_seed:INT!=0", "NOISE", {value("noise_seed", "seed")}),
        settings("DisableNoise", "", "NOISE", {fixed("add_noise", false)}),
        settings("BasicGuider", "model:MODEL conditioning:CONDITIONING", "GUIDER",
                 {link("model", "model"), link("conditioning", "positive"), fixed("guidance", 1)}),
        settings("CFGGuider", "model:MODEL positive:CONDITIONING negative:CONDITIONING cfg:FLOAT=8", "GUIDER",
                 {link("model", "model"), link("positive", "positive"), link("negative", "negative"),
                  value("cfg", "guidance")}),
    };
}

}  // namespace nodes
