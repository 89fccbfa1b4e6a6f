#include "nodes/training/autoencoder.h"

#include <cmath>

#include "gpu/base/error.h"
#include "gpu/graph/autocast.h"
#include "gpu/graph/autodiff.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/sampling/noise.h"
#include "nodes/training/latent_basis.h"
#include "nodes/training/spread.h"

namespace nodes {
namespace {

constexpr std::uint32_t latent_stream = 0x6c61746e;
constexpr const char* critic = "discriminator.";      // names of its parameters start with this
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
        if (adversarial()) {
            const int least = PatchDiscriminator::least_side(t_.loss.discriminator);
            gpu::check(std::min(t_.dataset.framing.width, t_.dataset.framing.height) >= least, gpu::ErrorCode::InvalidGraph,
                       "train autoencoder: expected pictures of at least {} pixels for a discriminator of {} layers, got {} x {}", least, t_.loss.discriminator.layers,
                       t_.dataset.framing.width, t_.dataset.framing.height);
        }
        gpu::check(!t_.loss.criterion || t_.loss.criterion->channels() == 0 || t_.loss.criterion->channels() == 3, gpu::ErrorCode::InvalidGraph,
                   "train autoencoder: expected a loss of pictures, got one of {} channels", t_.loss.criterion ? t_.loss.criterion->channels() : 0);
        gpu::check(!t_.decoder_only || t_.start, gpu::ErrorCode::InvalidGraph, "train autoencoder: expected an autoencoder to start from where only its decoder moves, got none");
        if (t_.decoder_only)
            for (const auto& [name, weight] : t_.start->weights())
                if (!moves(name)) fixed_.emplace(name, gpu::to_leaf(weight));
    }

    std::vector<Parameter> parameters() const override {
        std::vector<Parameter> all = t_.start ? parameters_of(t_.start->weights())
                                              : drawn_parameters(t_.seed, [&](const Scope& s) { KlAutoencoder(s, t_.config, format()); });
        std::erase_if(all, [&](const Parameter& parameter) { return !moves(parameter.name); });
        if (adversarial())
            for (Parameter& parameter : drawn_parameters(t_.seed, [&](const Scope& s) { PatchDiscriminator(s / "discriminator", t_.loss.discriminator); })) {
                parameter.rates.rate = t_.loss.discriminator_rate;
                all.push_back(std::move(parameter));
            }
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
        gpu::Tensors all{pictures, gpu::tensor(noise, shape)};
        // A third tensor says that the discriminator takes part: loss() builds one graph before and one after.
        if (adversarial() && visits.front().number >= t_.loss.adversarial_start) all.push_back(gpu::tensor({1.0f}));
        return all;
    }

    Tensor loss(const NamedTensors& parameters, const gpu::Tensors& batch) const override {
        const KlAutoencoder network = built(parameters);
        const Tensor pictures = batch[0] * 2.0 - 1.0;                                     // [N, 3, H, W] in -1..1
        const KlAutoencoder::Moments m = network.moments(pictures);                       // [N, C, h, w]
        const Tensor latent = t_.decoder_only ? m.mean : m.mean + gpu::exp(0.5 * m.logvar) * batch[1];
        const Tensor made = network.decode_raw(latent);                                   // [N, 3, H, W]
        const Tensor likeness = t_.loss.criterion ? gpu::mean((*t_.loss.criterion)({made, pictures, {}})) : difference(made, pictures);
        Tensor loss = gpu::reshape(likeness, {1});
        if (batch.size() > 2) loss = with_adversary(parameters, pictures, made, loss);
        // KL(N(mean, variance) || N(0, 1)), a mean over elements
        if (t_.loss.kl > 0 && !t_.decoder_only)
            loss = loss + 0.5 * t_.loss.kl * gpu::mean(gpu::square(m.mean) + gpu::exp(m.logvar) - 1.0 - m.logvar);
        return gpu::reshape(loss, {1});
    }

    Trained result(const NamedTensors& parameters) const override {
        NamedTensors all = parameters;
        std::erase_if(all, [](const auto& one) { return one.first.starts_with(critic); });
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
        std::vector<TrainMetric> all{{"psnr", sum / static_cast<double>(pictures.size(0)), "dB"}};
        if (adversarial()) {      // its mean answers: above 0 for what it takes as real
            const PatchDiscriminator judge(Scope::tensors(parameters) / "discriminator", t_.loss.discriminator);
            const Tensor real = unseen(at_once);
            all.push_back({"discriminator_real", gpu::to_number(gpu::mean(judge(real * 2.0 - 1.0))), ""});
            all.push_back({"discriminator_made", gpu::to_number(gpu::mean(judge(through(network, real) * 2.0 - 1.0))), ""});
        }
        return all;
    }

    std::string summary() const override {
        return gpu::format("KL autoencoder, {} channels, on {} pictures", t_.config.channels, t_.dataset.size());
    }

private:
    Tensor difference(const Tensor& made, const Tensor& pictures) const {
        const Tensor off = made - pictures;
        Tensor sum = t_.loss.absolute * gpu::mean(gpu::abs(off));
        if (t_.loss.square > 0) sum = sum + t_.loss.square * gpu::mean(gpu::square(off));
        if (t_.judge && t_.loss.perceptual > 0) {
            const auto states = [&](const Tensor& p) { return (*t_.judge->tower)(t_.judge->tower->pixels(p * 0.5 + 0.5, VisionFit::Stretch)).penultimate; };
            sum = sum + t_.loss.perceptual * gpu::mean(gpu::square(states(made) - states(pictures)));
        }
        return sum;
    }

    bool adversarial() const { return t_.loss.adversarial > 0; }

    // The likeness, the generator's term, in which the discriminator stays as it is, and the discriminator's own, in which the pictures do: gradients of
    // the sum are those of two networks trained in turns, both at the same point.
    Tensor with_adversary(const NamedTensors& parameters, const Tensor& pictures, const Tensor& made, const Tensor& likeness) const {
        const PatchDiscriminator judge(Scope::tensors(parameters) / "discriminator", t_.loss.discriminator);
        const Tensor hinge = hinge_loss(judge(pictures), judge(gpu::stop_gradient(made)));
        const Pull near = pulled(likeness, made, parameters), real = pulled(gpu::reshape(generator_loss(judge(made)), {1}), made, parameters);
        Tensor pull = real.term * t_.loss.adversarial;
        if (t_.loss.adaptive) pull = pull * gpu::stop_gradient(gpu::minimum(near.norm / (real.norm + 1e-4), 1e4));      // arXiv:2012.09841, equation 7
        return near.term + pull + gpu::reshape(hinge, {1});
    }

    // A term that reaches parameters through the made pictures alone, and the norm [1] of its gradient at the decoder's last layer. What the term
    // does to the pictures is computed once for both.
    struct Pull {
        Tensor term, norm;
    };
    static Pull pulled(const Tensor& term, const Tensor& made, const NamedTensors& parameters) {
        const gpu::Autocast as_built(gpu::Dtype::F32);      // cotangents have the types that the forward pass chose
        const Tensor on_pictures = gpu::gradients(term, {made})[0];
        const Tensor last = gpu::cotangents(made, on_pictures, {parameters.at("decoder.conv_out.weight")})[0];
        const auto vjp = [on_pictures](const gpu::Tensors&, const Tensor&, const Tensor& dy) { return gpu::Tensors{gpu::cast(on_pictures * gpu::reshape(dy, {1, 1, 1, 1}), on_pictures.dtype())}; };
        return {gpu::with_vjp(term, {made}, vjp), gpu::reshape(gpu::sqrt(gpu::sum(gpu::square(last))), {1})};
    }

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
