#include "nodes/training/diffusion.h"

#include <array>
#include <cmath>

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "nodes/sampling/noise.h"
#include "nodes/training/parameters.h"

namespace nodes {
namespace {

constexpr std::uint32_t noise_stream = 0x64696666, choice_stream = 0x63686f69;

// Layers whose result is added to what passes by start at nothing, and so does the network's output: the start that these networks have
// had since DDPM's.
bool starts_at_zero(std::string_view name) {
    return name.ends_with("out_layers.3.weight") || name.ends_with("out_layers.3.bias") || name.ends_with(".proj_out.weight") || name.ends_with(".proj_out.bias") ||
           name == "out.2.weight" || name == "out.2.bias";
}

class DiffusionObjective final : public Objective {
public:
    explicit DiffusionObjective(DiffusionTraining training) : t_(std::move(training)), table_(t_.info.noise) {
        const Examples& e = t_.examples;
        gpu::check(e.size() > 0, gpu::ErrorCode::InvalidGraph, "train UNet: expected examples, got none");
        gpu::check(t_.config.in_channels == e.format.channels && t_.config.out_channels == e.format.channels, gpu::ErrorCode::InvalidGraph,
                   "train UNet: expected latents of {} channels, got {}", t_.config.in_channels, e.format.channels);
        gpu::check(t_.config.context_width == e.context_width, gpu::ErrorCode::InvalidGraph, "train UNet: expected text of width {}, got {}", t_.config.context_width,
                   e.context_width);
        gpu::check(!t_.info.noise.zero_terminal_snr || t_.info.prediction != PredictionType::Epsilon, gpu::ErrorCode::InvalidGraph,
                   "train UNet: expected prediction v or sample with zero terminal SNR, got epsilon");
        const PredictionType prediction = t_.info.prediction;
        const NoiseTableOptions noise = t_.info.noise;
        t_.info = unet_info(t_.config);
        t_.info.prediction = prediction, t_.info.noise = noise, t_.info.latent = e.format;
    }

    std::vector<Parameter> parameters() const override {
        if (!t_.start.empty()) return parameters_of(t_.start);
        std::vector<Parameter> all = drawn_parameters(t_.seed, [&](const Scope& s) { UnetNetwork(s, t_.config); });
        for (Parameter& parameter : all)
            if (starts_at_zero(parameter.name)) parameter.value = gpu::zeros(parameter.value.shape());
        return all;
    }
    std::int64_t size() const override { return t_.examples.size(); }

    // x0, noise [B, C, h, w]; timestep [B]; signal, noise level, weight [B, 1, 1, 1]; context [B, L, D]
    gpu::Tensors batch(std::span<const Visit> visits, std::uint64_t seed) const override {
        const Examples& e = t_.examples;
        const std::size_t each = e.latent_elements(), text = e.context_elements(), count = visits.size();
        std::vector<float> latents(count * each), noise(count * each), contexts(count * text), timesteps(count), clear(count), noisy(count), weights(count);
        for (std::size_t i = 0; i < count; ++i) {
            const NoiseAddress at{seed, choice_stream, static_cast<std::uint32_t>(visits[i].number), static_cast<std::uint32_t>(visits[i].number >> 32)};
            std::array<float, 3> drawn{};
            philox_uniform(at, drawn);
            const auto variant = std::min<std::size_t>(static_cast<std::size_t>(e.variants) - 1, static_cast<std::size_t>(drawn[0] * static_cast<float>(e.variants)));
            const int timestep = std::min(table_.count() - 1, static_cast<int>(drawn[1] * static_cast<float>(table_.count())));
            const std::size_t item = static_cast<std::size_t>(visits[i].item), told = drawn[2] < t_.loss.drop_text ? static_cast<std::size_t>(e.size()) : item;
            std::copy_n(e.latents->begin() + static_cast<std::ptrdiff_t>((item * static_cast<std::size_t>(e.variants) + variant) * each), each,
                        latents.begin() + static_cast<std::ptrdiff_t>(i * each));
            std::copy_n(e.contexts->begin() + static_cast<std::ptrdiff_t>(told * text), text, contexts.begin() + static_cast<std::ptrdiff_t>(i * text));
            philox_normal({at.seed, noise_stream, at.image, at.step}, std::span(noise).subspan(i * each, each));
            const NoiseLevel level = table_.level(timestep);
            timesteps[i] = static_cast<float>(timestep), clear[i] = static_cast<float>(level.signal), noisy[i] = static_cast<float>(level.noise);
            weights[i] = static_cast<float>(weight_at(level));
        }
        const auto n = static_cast<std::int64_t>(count);
        const gpu::Shape shape{n, e.format.channels, e.height, e.width}, one{n, 1, 1, 1};
        return {gpu::tensor(latents, shape), gpu::tensor(noise, shape), gpu::tensor(timesteps, {n}), gpu::tensor(clear, one), gpu::tensor(noisy, one),
                gpu::tensor(weights, one), gpu::tensor(contexts, {n, e.tokens, e.context_width})};
    }

    Tensor loss(const NamedTensors& parameters, const gpu::Tensors& b) const override {
        const Tensor &x0 = b[0], &noise = b[1], &signal = b[3], &level = b[4];
        const UnetNetwork network(Scope::tensors(parameters), t_.config);
        const Tensor output = network({.latent = signal * x0 + level * noise, .timestep = b[2], .context = b[6]});      // [B, C, h, w]
        const Tensor target = t_.info.prediction == PredictionType::Epsilon ? noise : t_.info.prediction == PredictionType::V ? signal * noise - level * x0 : x0;
        const Tensor squared = gpu::square(output - target);
        const double turn = t_.loss.huber;      // 2 c (sqrt(d^2 + c^2) - c), d^2 for small d (arXiv:2403.16728)
        const Tensor error = turn > 0 ? 2 * turn * (gpu::sqrt(squared + turn * turn) - turn) : squared;
        return gpu::reshape(gpu::mean(b[5] * error), {1});
    }

    Trained result(const NamedTensors& parameters) const override {
        return Trained({Value::of<Model>(Model(make_unet(weights_of(parameters), t_.config, t_.info)))});
    }

    std::string summary() const override {
        const char* names[] = {"epsilon", "v", "sample"};
        return gpu::format("UNet, {} levels from {} channels, {} prediction, on {} pictures x {}", t_.config.levels.size(), t_.config.base_channels(),
                           names[static_cast<int>(t_.info.prediction)], t_.examples.size(), t_.examples.variants);
    }

private:
    // Min-SNR weights, of the loss of x0, for what the network predicts: those of epsilon are divided by the SNR, those of v by SNR + 1.
    double weight_at(const NoiseLevel& level) const {
        if (t_.loss.min_snr <= 0) return 1;
        const double snr = level.alpha_bar() / (level.noise * level.noise), cut = std::min(snr, t_.loss.min_snr);
        if (t_.info.prediction == PredictionType::Sample) return cut;
        return t_.info.prediction == PredictionType::V ? cut / (snr + 1) : snr > 0 ? cut / snr : 1;
    }

    DiffusionTraining t_;
    NoiseTable table_;
};

}  // namespace

UnetConfig small_unet_config(const std::vector<int>& channels, const std::vector<bool>& attends, int blocks, int latent_channels, int context_width) {
    gpu::check(!channels.empty() && channels.size() == attends.size() && blocks > 0, gpu::ErrorCode::InvalidGraph,
               "small UNet: expected channels and whether it attends for each level, got {} and {}", channels.size(), attends.size());
    UnetConfig config;
    config.levels.clear();
    for (std::size_t i = 0; i < channels.size(); ++i) {
        gpu::check(channels[i] > 0 && channels[i] % 32 == 0, gpu::ErrorCode::InvalidGraph, "small UNet: expected channels in multiples of 32, got {}", channels[i]);
        const int depth = attends[i] ? 1 : 0;
        config.levels.push_back({.channels = channels[i], .heads = 8, .input_depths = std::vector<int>(static_cast<std::size_t>(blocks), depth),
                                 .output_depths = std::vector<int>(static_cast<std::size_t>(blocks) + 1, depth)});
    }
    config.in_channels = config.out_channels = latent_channels;
    config.context_width = context_width;
    config.time_width = 4 * channels[0];
    return config;
}

ObjectiveRef diffusion_objective(DiffusionTraining training) { return std::make_shared<DiffusionObjective>(std::move(training)); }

}  // namespace nodes
