#include "nodes/training/autoencoder.h"

#include <cmath>

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/sampling/noise.h"
#include "nodes/training/latent_basis.h"
#include "nodes/training/spread.h"

namespace nodes {
namespace {

constexpr std::uint32_t latent_stream = 0x6c61746e;
constexpr std::int64_t measured = 256, shown = 8, at_once = 32;      // pictures

class AutoencoderObjective final : public Objective {
public:
    explicit AutoencoderObjective(AutoencoderTraining training) : t_(std::move(training)) {
        gpu::check(t_.dataset.size() > 0, gpu::ErrorCode::InvalidGraph, "train autoencoder: expected pictures, got an empty dataset");
        const int factor = t_.config.factor();
        for (std::int64_t i = 0; i < (t_.dataset.buckets ? t_.dataset.size() : 1); ++i) {
            const Framing f = t_.dataset.framing_of(i);
            gpu::check(f.width % factor == 0 && f.height % factor == 0, gpu::ErrorCode::InvalidGraph,
                       "train autoencoder: expected pictures of multiples of {} pixels, got {} x {}", factor, f.width, f.height);
        }
        gpu::check(!t_.decoder_only || t_.start, gpu::ErrorCode::InvalidGraph, "train autoencoder: expected an autoencoder to start from where only its decoder moves, got none");
        if (t_.decoder_only)
            for (const auto& [name, weight] : t_.start->weights())
                if (!moves(name)) fixed_.emplace(name, gpu::to_leaf(weight));
    }

    std::vector<Parameter> parameters() const override {
        std::vector<Parameter> all = t_.start ? parameters_of(t_.start->weights())
                                              : drawn_parameters(t_.seed, [&](const Scope& s) { KlAutoencoder(s, t_.config, format()); });
        std::erase_if(all, [&](const Parameter& parameter) { return !moves(parameter.name); });
        return all;
    }
    std::int64_t size() const override { return t_.dataset.size(); }
    std::vector<int> groups() const override { return t_.dataset.groups(); }

    gpu::Tensors batch(std::span<const Visit> visits, std::uint64_t seed) const override {
        const Tensor pictures = t_.dataset.pictures(visits, seed);
        const int factor = t_.config.factor();
        const gpu::Shape shape{pictures.size(0), t_.config.channels, pictures.size(2) / factor, pictures.size(3) / factor};
        std::vector<float> noise(static_cast<std::size_t>(gpu::element_count(shape)));
        const std::size_t each = noise.size() / visits.size();
        for (std::size_t i = 0; i < visits.size(); ++i)
            philox_normal({seed, latent_stream, static_cast<std::uint32_t>(visits[i].number), static_cast<std::uint32_t>(visits[i].number >> 32)},
                          std::span(noise).subspan(i * each, each));
        return {pictures, gpu::tensor(noise, shape)};
    }

    Tensor loss(const NamedTensors& parameters, const gpu::Tensors& batch) const override {
        const KlAutoencoder network = built(parameters);
        const Tensor pictures = batch[0] * 2.0 - 1.0;                                     // [N, 3, H, W] in -1..1
        const KlAutoencoder::Moments m = network.moments(pictures);                       // [N, C, h, w]
        const Tensor latent = t_.decoder_only ? m.mean : m.mean + gpu::exp(0.5 * m.logvar) * batch[1];
        const Tensor made = network.decode_raw(latent), off = made - pictures;            // [N, 3, H, W]
        Tensor loss = t_.loss.absolute * gpu::mean(gpu::abs(off));
        if (t_.loss.square > 0) loss = loss + t_.loss.square * gpu::mean(gpu::square(off));
        // KL(N(mean, variance) || N(0, 1)), a mean over elements
        if (t_.loss.kl > 0 && !t_.decoder_only)
            loss = loss + 0.5 * t_.loss.kl * gpu::mean(gpu::square(m.mean) + gpu::exp(m.logvar) - 1.0 - m.logvar);
        if (t_.judge && t_.loss.perceptual > 0) {
            const auto states = [&](const Tensor& p) { return (*t_.judge->tower)(t_.judge->tower->pixels(p * 0.5 + 0.5, VisionFit::Stretch)).penultimate; };
            loss = loss + t_.loss.perceptual * gpu::mean(gpu::square(states(made) - states(pictures)));
        }
        return gpu::reshape(loss, {1});
    }

    Trained result(const NamedTensors& parameters) const override {
        NamedTensors all = parameters;
        all.insert(fixed_.begin(), fixed_.end());
        if (!t_.decoder_only) change_latent_basis(all, latent_basis(built(all), t_.dataset, t_.spectrum));
        return Trained({Value::of<Vae>(make_kl_autoencoder(weights_of(all), format(), {.groups = t_.config.groups, .eps = t_.config.eps}))});
    }

    // The pictures above what becomes of them.
    std::optional<Image> samples(const NamedTensors& parameters) const override {
        const Tensor pictures = unseen(shown);
        const Tensor both = gpu::stack({pictures, through(built(parameters), pictures)}, 0);                     // [2, N, 3, H, W]
        const std::int64_t n = pictures.size(0), h = pictures.size(2), w = pictures.size(3);
        return evaluated(make_image(gpu::reshape(gpu::permute(both, {2, 0, 3, 1, 4}), {1, 3, 2 * h, n * w})));
    }

    std::vector<TrainMetric> metrics(const NamedTensors& parameters) const override {
        const KlAutoencoder network = built(parameters);
        const Tensor pictures = unseen(measured);
        double sum = 0;
        for (std::int64_t at = 0; at < pictures.size(0); at += at_once) {
            const Tensor part = gpu::slice(pictures, 0, at, std::min(at + at_once, pictures.size(0)));
            sum += mean_psnr(part, through(network, part)) * static_cast<double>(part.size(0));
        }
        return {{"psnr", sum / static_cast<double>(pictures.size(0)), "dB"}};
    }

    std::string summary() const override {
        return gpu::format("KL autoencoder, {} channels, on {} pictures", t_.config.channels, t_.dataset.size());
    }

private:
    bool moves(std::string_view name) const { return !t_.decoder_only || name.starts_with("decoder.") || name.starts_with("post_quant_conv."); }
    LatentFormat format() const { return {.family = "pico", .channels = t_.config.channels, .factor = t_.config.factor()}; }
    KlAutoencoder built(NamedTensors all) const {
        all.insert(fixed_.begin(), fixed_.end());
        return KlAutoencoder(Scope::tensors(std::move(all)), t_.config, format());
    }
    Tensor unseen(std::int64_t most) const {
        const Dataset& from = t_.validation && t_.validation->size() > 0 ? *t_.validation : t_.dataset;
        return from.pictures(spread_items(most, from));
    }
    static Tensor through(const KlAutoencoder& network, const Tensor& pictures) {
        return gpu::clamp(network.decode(network.encode(pictures)), 0, 1);
    }

    AutoencoderTraining t_;
    NamedTensors fixed_;
};

}  // namespace

double mean_psnr(const Tensor& a, const Tensor& b) {
    double sum = 0;
    const std::vector<float> errors = gpu::to_floats(gpu::mean(gpu::square(a - b), {1, 2, 3}));
    for (const float error : errors) sum += -10 * std::log10(std::max(error, 1e-10f));
    return sum / static_cast<double>(errors.size());
}

ObjectiveRef autoencoder_objective(AutoencoderTraining training) {
    gpu::check(training.config.quant_conv && training.config.post_quant_conv, gpu::ErrorCode::InvalidGraph,
               "train autoencoder: expected one with 1x1 convolutions around the latent, got none");
    return std::make_shared<AutoencoderObjective>(std::move(training));
}

}  // namespace nodes
