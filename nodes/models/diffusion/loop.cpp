#include "nodes/models/diffusion/loop.h"

#include <algorithm>
#include <cmath>

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/models/diffusion/attention_record.h"

namespace nodes {
namespace {

using gpu::check;
using gpu::ErrorCode;

// Networks are never told that nothing of the picture is left: samplers that divide by the signal then stay finite
// (arXiv:2305.08891; the number is that of diffusers).
constexpr double least_signal = 0x1p-12;

NoiseLevel held(NoiseLevel level) {
    if (level.signal < least_signal) {
        level.signal = least_signal;
        level.noise = std::sqrt(1 - least_signal * least_signal);
    }
    return level;
}

}  // namespace

Sampling make_sampling(const ModelInfo& model, const SamplingSettings& settings) {
    const Sampler& sampler = find_sampler(settings.sampler);
    const SamplerInfo about = sampler.info();
    Sampling made{.sampler = &sampler, .table = std::make_shared<const NoiseTable>(model.noise), .prediction = model.prediction, .options = settings.options, .levels = {}, .calls = {}};
    check(settings.denoise > 0 && settings.denoise <= 1, ErrorCode::InvalidGraph, "sampling: expected a denoising strength above 0 and up to 1, got {}", settings.denoise);
    const int whole = settings.denoise >= 1 ? settings.steps : static_cast<int>(settings.steps / settings.denoise);
    check(settings.denoise >= 1 || whole < made.table->count(), ErrorCode::InvalidGraph,
          "sampling: expected a schedule of fewer than {} steps, got {}: {} steps at a denoising strength of {}", made.table->count(), whole, settings.steps,
          settings.denoise);
    made.options.whole_timesteps = settings.k_diffusion;
    const bool drop_last = settings.k_diffusion ? about.tools_drop_last : about.drop_last;
    const ScheduleOptions options{.steps = whole, .end = about.end, .drop_last = drop_last, .whole_timesteps = about.whole_timesteps && !settings.k_diffusion,
                                  .rho = settings.rho, .k_diffusion = settings.k_diffusion};
    NoiseLevels levels = make_levels(settings.schedule == "auto" ? about.schedule : settings.schedule, *made.table, options);
    if (whole > settings.steps) levels.erase(levels.begin(), levels.end() - (settings.steps + 1));
    for (NoiseLevel& level : levels) level = held(level);

    const int steps = static_cast<int>(levels.size()) - 1, first = std::clamp(settings.first, 0, steps), last = std::clamp(settings.last, 0, steps);
    check(first < last, ErrorCode::InvalidGraph, "sampling: expected steps to run out of {}, got {} to {}", steps, settings.first, settings.last);
    made.from_noise = first == 0 && whole == settings.steps;
    made.whole_steps = whole;
    made.first_step = whole - settings.steps + first;
    made.levels.assign(levels.begin() + first, levels.begin() + last + 1);
    made.calls = sampler.calls(made.levels, *made.table, made.options);
    return made;
}

SamplingState begin_sampling(const Sampling& sampling, const ModelInfo& model, const Latent& latent, const BeginSettings& settings) {
    check(latent.format.channels == model.latent.channels, ErrorCode::InvalidGraph, "sampling: expected a latent of {} channels for this {} model, got {}",
          model.latent.channels, model.family, latent.format.channels);
    SamplingState state{.sampler = {}, .start = latent.tensor, .noise = {}, .mask = latent.mask, .format = latent.format,
                        .fresh = std::make_shared<const NoiseStream>(settings.source, settings.seed, latent.tensor.shape(), settings.first_image, settings.same_noise), .denoised = {}};
    state.noise = state.fresh->start();
    const NoiseLevel& level = sampling.calls.front();
    // From the highest level on the noise has all its weight, as tools begin it; x0 keeps the trace that the level leaves.
    if (settings.add_noise)
        state.sampler.x = latent.tensor * level.signal + state.noise * (sampling.from_noise ? 1.0 : level.noise);
    else
        state.sampler.x = latent.tensor;
    return state;
}

Predictions predict_step(const Model& model, const Sampling& sampling, const SamplingState& state, const Conditioning& positive,
                         const Conditioning* negative, double scale) {
    const StepInfo at = sampling.info(state.call);
    const std::vector<const StepPatch*> patches = of_kind<StepPatch>(model.patches());
    Predictions made{.state = state, .positive = {}, .negative = {}, .others = {}};
    for (const StepPatch* patch : patches) made.state.sampler.x = patch->before(at, made.state.sampler.x);
    std::vector<Conditioning> asked;
    for (const StepPatch* patch : patches)
        for (Conditioning& one : patch->conditionings(positive, negative)) asked.push_back(std::move(one));

    PredictOptions options{.at = at, .scale = scale};
    AttentionHeard heard{.record = attention_record(model.patches()), .maps = {}};
    if (heard.record && heard.record->acts(at)) options.heard = &heard;
    std::vector<const Conditioning*> lists{&positive};
    const bool guided = negative && model.info().guidance_width == 0 && (scale != 1 || !asked.empty());
    if (guided) {
        options.negative = lists.size();
        lists.push_back(negative);
    }
    for (const Conditioning& one : asked) lists.push_back(&one);
    gpu::Tensors outputs = predict(model, lists, made.state.sampler.x, options);
    if (heard.maps) {
        Tensor& sum = made.state.attention;
        if (!sum) {      // so that the first step has the plan of the others
            sum = gpu::zeros(heard.maps.shape());
            gpu::evaluate({sum});
        }
        sum = sum + heard.maps;
        ++made.state.attention_calls;
    }
    made.positive = outputs[0];
    if (guided) made.negative = outputs[1];
    made.others.assign(outputs.begin() + (guided ? 2 : 1), outputs.end());
    return made;
}

Tensor guided_by(const Tensor& positive, const Tensor& negative, double scale) { return negative + (positive - negative) * scale; }

Tensor combine(const Patches& patches, const Sampling& sampling, const Predictions& predictions, double scale) {
    const StepInfo at = sampling.info(predictions.state.call);
    const std::vector<const StepPatch*> acting = of_kind<StepPatch>(patches);
    // Each patch sees the predictions that it asked for.
    std::vector<GuidanceInput> inputs;
    std::size_t taken = 0;
    for (const StepPatch* patch : acting) {
        const std::size_t count = patch->conditionings({}, nullptr).size();
        check(taken + count <= predictions.others.size(), ErrorCode::InvalidGraph, "guidance: expected {} more predictions, got {}", taken + count, predictions.others.size());
        inputs.push_back({.at = at, .type = sampling.prediction, .x = predictions.state.sampler.x, .scale = scale, .positive = predictions.positive,
                          .negative = predictions.negative,
                          .others = {predictions.others.begin() + static_cast<std::ptrdiff_t>(taken), predictions.others.begin() + static_cast<std::ptrdiff_t>(taken + count)}});
        taken += count;
    }
    std::optional<Tensor> output;
    for (std::size_t i = 0; i < acting.size() && !output; ++i) output = acting[i]->guide(inputs[i]);
    if (!output) {
        const Tensor &c = predictions.positive, &u = predictions.negative;
        output = u ? guided_by(c, u, scale) : c;
    }
    for (std::size_t i = 0; i < acting.size(); ++i) output = acting[i]->guided(inputs[i], *output);
    return *output;
}

SamplingState take_step(const Sampling& sampling, const SamplingState& state, const Tensor& output) {
    check(state.call < sampling.steps(), ErrorCode::InvalidGraph, "sampling: expected a step of {}, got number {}", sampling.steps(), state.call + 1);
    const NoiseLevel& level = sampling.calls[static_cast<std::size_t>(state.call)];
    const Prediction predicted = predict(sampling.prediction, output, state.sampler.x, level);
    SamplingState made = state;
    const SamplerStep step{.levels = sampling.levels, .calls = sampling.calls, .call = state.call, .table = *sampling.table, .options = sampling.options,
                           .noise = [&] { return state.fresh->step(sampling.first_step + state.call, made.draws++); }, .whole_steps = sampling.whole_steps};
    made.sampler = sampling.sampler->step(step, state.sampler, predicted);
    made.denoised = predicted.x0;
    made.call = state.call + 1;
    return made;
}

SamplingState blend(const Patches& patches, const Sampling& sampling, const SamplingState& state) {
    const int call = state.call - 1;
    const bool last = state.call == sampling.steps();
    const NoiseLevel next = last ? sampling.levels.back() : sampling.calls[static_cast<std::size_t>(state.call)];
    const StepInfo at = sampling.info(call);
    SamplingState made = state;
    // What is kept goes along at the level where x stands, with the noise that the run began with (arXiv:2201.09865).
    if (Tensor mask = state.mask) {
        for (const StepPatch* patch : of_kind<StepPatch>(patches)) mask = patch->mask(at, mask);
        const Tensor kept = last && next.timestep < 0 ? state.start : state.start * next.signal + state.noise * next.noise;
        made.sampler.x = gpu::lerp(kept, state.sampler.x, mask);
    }
    for (const StepPatch* patch : of_kind<StepPatch>(patches))
        made.sampler.x = patch->after({.at = at, .next = next, .last = last, .denoised = state.denoised}, made.sampler.x);
    return made;
}

gpu::Tensors tensors_of(const SamplingState& state) {
    gpu::Tensors all{state.sampler.x};
    all.insert(all.end(), state.sampler.history.begin(), state.sampler.history.end());
    if (state.denoised) all.push_back(state.denoised);
    if (state.attention) all.push_back(state.attention);
    return all;
}

Attention attention_of(const SamplingState& state) {
    Attention made{.maps = {}, .calls = state.attention_calls, .factor = state.format.factor};
    if (!state.attention) return made;
    made.maps = state.attention / static_cast<double>(state.attention_calls);
    gpu::evaluate({made.maps});
    return made;
}

Latent latent_of(const SamplingState& state) {
    Latent latent = make_latent(state.sampler.x, state.format);
    latent.mask = state.mask;
    return latent;
}

Latent denoised_of(const SamplingState& state) {
    Latent latent = make_latent(state.denoised ? state.denoised : state.sampler.x, state.format);
    latent.mask = state.mask;
    return latent;
}

}  // namespace nodes
