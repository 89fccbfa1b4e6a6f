// A sampler over a stand-in network, tanh(0.7 a x + b t / 1000). The configuration is that of a diffusers scheduler, whose
// defaults differ from class to class.
#include <QJsonObject>
#include <map>

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "nodes/conform/conform.h"
#include "nodes/sampling/sampler.h"

namespace nodes {
namespace {

std::string sampler_name(const ConformCase& given) {
    QString name = given.json["sampler"].toString();
    for (const char* suffix : {"-v", "-karras", "-exponential"})
        if (name.endsWith(suffix)) name.chop(static_cast<int>(qstrlen(suffix)));
    return name.replace('-', '_').toStdString();
}

// k-diffusion's family keeps y = x0 + sigma e instead of x_t.
bool keeps_sigma_form(const std::string& name) {
    return name == "euler" || name == "euler_ancestral" || name == "heun" || name == "lms";
}

NoiseTable table_of(const QJsonObject& config) {
    NoiseTableOptions options{.beta_start = config["beta_start"].toDouble(0.0001), .beta_end = config["beta_end"].toDouble(0.02),
                              .count = config["num_train_timesteps"].toInt(1000),
                              .zero_terminal_snr = config["rescale_betas_zero_snr"].toBool(false)};
    const QString rule = config["beta_schedule"].toString("linear");
    options.rule = rule == "scaled_linear" ? BetaRule::ScaledLinear : rule == "linear" ? BetaRule::Linear : BetaRule::Cosine;
    return NoiseTable(options);
}

PredictionType prediction_of(const QJsonObject& config) {
    const QString type = config["prediction_type"].toString("epsilon");
    if (type == "epsilon") return PredictionType::Epsilon;
    if (type == "v_prediction") return PredictionType::V;
    gpu::check(type == "sample", gpu::ErrorCode::BadFile, "sampler case: unknown prediction type '{}'", type.toStdString());
    return PredictionType::Sample;
}

NoiseLevels levels_of_config(const std::string& name, int steps, const QJsonObject& config, const NoiseTable& table) {
    if (name == "lcm") return make_levels("lcm", table, {.steps = steps, .whole_timesteps = true});
    const bool listed = name == "ddim" || name == "ddpm" || name == "pndm", multistep = name == "dpmpp_2m" || name == "unipc";
    ScheduleOptions options{.steps = steps, .offset = config["steps_offset"].toInt(0), .drop_last = multistep,
                            .whole_timesteps = listed || multistep};
    if (name == "ddim" && !config["set_alpha_to_one"].toBool(true)) options.end = EndLevel::Lowest;
    if (name == "pndm" && !config["set_alpha_to_one"].toBool(false)) options.end = EndLevel::Lowest;
    if (name == "unipc" && config["final_sigmas_type"].toString("sigma_min") == "sigma_min") options.end = EndLevel::Lowest;
    if (name == "dpmpp_2m" && config["final_sigmas_type"].toString("zero") == "sigma_min") options.end = EndLevel::Lowest;
    const std::string spacing = config["timestep_spacing"].toString(listed ? "leading" : "linspace").toStdString();
    const NoiseLevels spaced = make_levels(spacing, table, options);
    const bool karras = config["use_karras_sigmas"].toBool(), exponential = config["use_exponential_sigmas"].toBool();
    if (!karras && !exponential) return spaced;
    if (!multistep) {      // between the ends of the spaced list
        options.highest_sigma = spaced.front().sigma();
        options.lowest_sigma = spaced[spaced.size() - 2].sigma();
    }
    return make_levels(karras ? "karras" : "exponential", table, options);
}

gpu::Tensor as_tensor(const std::vector<float>& values) { return gpu::tensor(values, {static_cast<std::int64_t>(values.size())}); }

ConformOutputs run_sampler(const ConformCase& given) {
    const QJsonObject config = given.config();
    const std::string name = sampler_name(given);
    const Sampler& sampler = find_sampler(name == "unipc" && config["solver_type"] == "bh1" ? "unipc_bh1" : name);
    const NoiseTable table = table_of(config);
    const NoiseLevels levels = levels_of_config(name, given.json["steps"].toInt(), config, table), calls = sampler.calls(levels, table, {});
    const PredictionType type = prediction_of(config);
    const gpu::Tensor a = given.input("net_a"), b = given.input("net_b");
    const bool sigma_form = keeps_sigma_form(name), leading = config["timestep_spacing"].toString() == "leading";

    ConformOutputs outputs;
    std::vector<float> timesteps, sigmas;
    SamplerState state{given.input("noise") * (sigma_form && !leading ? calls[0].noise : 1.0), {}};
    int draws = 0;
    for (int i = 0; i < static_cast<int>(calls.size()); ++i) {
        const NoiseLevel& level = calls[static_cast<std::size_t>(i)];
        timesteps.push_back(static_cast<float>(level.timestep));
        sigmas.push_back(static_cast<float>(level.sigma()));
        const gpu::Tensor output = gpu::tanh(a * state.x * 0.7 + b * (level.timestep / 1000));
        SamplerOptions options;
        if (config.contains("eta")) options.eta = config["eta"].toDouble();
        options.order = config["solver_order"].toInt(2);
        const SamplerStep step{levels, calls, i, table, options, [&] { return given.input("step_noise_" + std::to_string(draws++)); }};
        state = sampler.step(step, state, predict(type, output, state.x, level));
        outputs["after_" + std::to_string(i)] = sigma_form ? state.x * (1 / step.next().signal) : state.x;
    }
    outputs["final"] = outputs["after_" + std::to_string(calls.size() - 1)];
    sigmas.push_back(static_cast<float>(levels.back().sigma()));
    outputs["timesteps"] = as_tensor(timesteps);
    outputs["sigmas"] = as_tensor(sigmas);
    return outputs;
}

}  // namespace
}  // namespace nodes

REGISTER_CONFORM_KIND(sampler, nodes::run_sampler)
