#include "nodes/training/diffusion.h"

#include <array>
#include <cmath>

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/models/diffusion/predict.h"
#include "nodes/sampling/noise.h"
#include "nodes/sampling/prediction.h"
#include "nodes/training/loss.h"

namespace nodes {
namespace {

constexpr std::uint32_t noise_stream = 0x64696666, choice_stream = 0x63686f69, prior_stream = 0x7072696f, sample_stream = 0x73616d70;
constexpr const char* word_name = "word";      // of the parameter

// Tensors of a batch, B rows: the examples', then as many of the prior where there is one.
enum Slot {
    Clean,              // [B, C, h, w]
    Noise,              // [B, C, h, w]
    Timestep,           // [B]
    Signal, Level,      // [B, 1, 1, 1]
    Weight,             // [B, 1, 1, 1]; with masks: [B, 1, h, w]
    Context,            // [B, L, D]; with a learned word: its ids, I32 [B, L]
    Places,             // with a learned word of n vectors: where they stand, [B, L, n]
    Pooled = Places,    // of networks that read pooled text, for which no words are learned: [B, P]
    Sizes,              // and theirs: [1, 6 or 5], frames count as whole pictures
};

class DiffusionObjective final : public Objective {
public:
    explicit DiffusionObjective(DiffusionTraining training) : t_(std::move(training)), table_(t_.moves->info().noise) {
        const UnetConfig& config = t_.moves->config();
        const ModelInfo& info = t_.moves->info();
        check_examples(t_.examples, "examples");
        if (t_.prior) {
            check_examples(*t_.prior, "the prior's examples");
            gpu::check(t_.prior->tokens == t_.examples.tokens, gpu::ErrorCode::InvalidGraph, "train UNet: expected examples of the prior of {} tokens, got {}", t_.examples.tokens,
                       t_.prior->tokens);
            for (std::int64_t i = 0; i < t_.prior->size(); ++i) prior_of_[t_.prior->cells_of(i)].push_back(i);
            for (std::int64_t i = 0; i < t_.examples.size(); ++i) {
                const CellSize size = t_.examples.cells_of(i);
                gpu::check(prior_of_.contains(size), gpu::ErrorCode::InvalidGraph, "train UNet: expected examples of the prior of {} x {} cells as others are, got none", size.width,
                           size.height);
            }
        }
        if (t_.loss.criterion)
            gpu::check(t_.loss.criterion->channels() == 0 || t_.loss.criterion->channels() == config.out_channels, gpu::ErrorCode::InvalidGraph,
                       "train UNet: expected a loss of latents of {} channels, got one of {}", config.out_channels, t_.loss.criterion->channels());
        gpu::check(config.in_channels == config.out_channels, gpu::ErrorCode::InvalidGraph, "train UNet: expected a network that reads latents alone, got one of {} channels",
                   config.in_channels);
        gpu::check(!info.noise.zero_terminal_snr || info.prediction != PredictionType::Epsilon, gpu::ErrorCode::InvalidGraph,
                   "train UNet: expected prediction v or sample with zero terminal SNR, got epsilon");
        if (!t_.word) return;
        const LearnedWord& word = *t_.word;
        gpu::check(config.label_width == 0, gpu::ErrorCode::InvalidGraph, "train word: expected a network that reads no pooled text and sizes, got {}", config.family());
        gpu::check(word.encoder.towers().size() == 1 && word.encoder.context_width() == config.context_width, gpu::ErrorCode::InvalidGraph,
                   "train word: expected one text tower of width {}, got {} of {}", config.context_width, word.encoder.towers().size(), word.encoder.context_width());
        gpu::check(!word.name.empty() && !word.start.empty() && !word.templates.empty(), gpu::ErrorCode::InvalidGraph,
                   "train word: expected a name, vectors and templates, got one of them empty");
        for (const std::string& one : word.templates)
            gpu::check(one.find("{}") != one.npos, gpu::ErrorCode::InvalidGraph, "train word: expected {{}} for the word in every template, got \"{}\"", one);
        network_ = word.encoder.network(0);
    }

    std::vector<Parameter> parameters() const override {
        std::vector<Parameter> all = t_.moves->parameters();
        if (!t_.word) return all;
        std::vector<float> rows;
        for (const std::vector<float>& row : t_.word->start) rows.insert(rows.end(), row.begin(), row.end());
        all.push_back({word_name, gpu::tensor(rows, {vectors(), static_cast<std::int64_t>(t_.word->start[0].size())}), {.decay = 0}});
        return all;
    }
    std::int64_t size() const override { return t_.examples.size(); }
    std::vector<int> groups() const override { return t_.examples.groups; }

    gpu::Tensors batch(std::span<const Visit> visits, std::uint64_t seed) const override {
        Rows rows;
        for (const Visit& visit : visits) add(rows, t_.examples, visit, seed, choice_stream, 1);
        if (t_.prior)
            for (const Visit& visit : visits) {      // one of the prior beside each, drawn by the visit's number
                std::array<float, 1> drawn{};
                philox_uniform(address(seed, prior_stream, visit.number), drawn);
                const std::vector<std::int64_t>& fit = prior_of_.at(t_.examples.cells_of(visit.item));
                add(rows, *t_.prior, {fit[std::min(fit.size() - 1, static_cast<std::size_t>(drawn[0] * static_cast<float>(fit.size())))], visit.number}, seed, prior_stream + 1,
                    t_.loss.prior);
            }
        return tensors_of(rows);
    }

    Tensor loss(const NamedTensors& parameters, const gpu::Tensors& b) const override {
        const PredictionType prediction = t_.moves->info().prediction;
        const Tensor &x0 = b[Clean], &noise = b[Noise], &signal = b[Signal], &level = b[Level];
        const UnetNetwork network(t_.moves->network(parameters), t_.moves->config());
        UnetHooks hooks;
        hooks.recompute = t_.recompute;
        const Tensor output = network(told(parameters, b, {.latent = signal * x0 + level * noise, .timestep = b[Timestep]}), hooks);      // [B, C, h, w]
        const Tensor target = prediction == PredictionType::Epsilon ? noise : prediction == PredictionType::V ? signal * noise - level * x0 : x0;
        // The sum of both means, where there is a prior: each is half of the rows.
        const double means = t_.prior ? 2 : 1;
        if (t_.loss.criterion) return gpu::reshape(means * gpu::mean((*t_.loss.criterion)({output, target, b[Weight]})), {1});
        const Tensor squared = gpu::square(output - target);
        return gpu::reshape(means * gpu::mean(b[Weight] * (t_.loss.huber > 0 ? pseudo_huber(squared, t_.loss.huber) : squared)), {1});
    }

    Trained result(const NamedTensors& parameters) const override {
        std::vector<Value> made = t_.moves->result(parameters);
        if (t_.word) {
            const Tensor& value = parameters.at(word_name);
            const std::vector<float> values = gpu::to_floats(value);
            TextEmbedding learned{.names = {t_.word->name}, .rows = {}};
            const auto width = static_cast<std::size_t>(value.size(1));
            for (std::size_t at = 0; at < values.size(); at += width)
                learned.rows[static_cast<int>(width)].push_back(std::make_shared<const std::vector<float>>(values.begin() + static_cast<std::ptrdiff_t>(at),
                                                                                                          values.begin() + static_cast<std::ptrdiff_t>(at + width)));
            made.push_back(Value::of<Encoder>(t_.word->encoder.with(std::move(learned))));
        }
        return Trained(std::move(made));
    }

    // Pictures of captions spread over the examples, by DDIM.
    std::optional<Image> samples(const NamedTensors& parameters) const override {
        constexpr std::size_t shown = 8;
        constexpr int steps = 20;
        constexpr double guidance = 3;
        if (!t_.vae) return std::nullopt;
        const Examples& e = t_.examples;
        std::vector<std::int64_t> items;      // of one size
        for (std::int64_t i = 0; i < e.size(); ++i)
            if (e.cells_of(i) == e.cells_of(0)) items.push_back(i);
        const std::size_t count = std::min(shown, items.size()), each = static_cast<std::size_t>(e.format.channels * e.height * e.width);
        Rows rows;
        rows.cells = e.cells_of(0);
        for (std::size_t i = 0; i < count; ++i) tell(rows, e, items[i * items.size() / count], 0);
        for (std::size_t i = 0; i < count; ++i) tell(rows, e, e.size(), 0);
        rows.latents.resize(2 * count * each), rows.noise.resize(rows.latents.size());
        rows.timesteps.resize(2 * count), rows.signal = rows.level = rows.weights = rows.timesteps;
        const gpu::Tensors numbers = tensors_of(rows);
        const auto n = static_cast<std::int64_t>(count);
        std::vector<float> start(count * each);
        for (std::size_t i = 0; i < count; ++i)
            philox_normal({0, sample_stream, static_cast<std::uint32_t>(i)}, std::span(start).subspan(i * each, each));
        Tensor x = gpu::tensor(start, {n, e.format.channels, e.height, e.width});
        const UnetNetwork network(t_.moves->network(parameters), t_.moves->config());
        DenoiserInput call = told(parameters, numbers, {});
        gpu::evaluate({call.context});
        for (int step = 0; step < steps; ++step) {
            const auto timestep_at = [&](int at) { return std::max(0, table_.count() * (steps - at) / steps - 1); };
            const NoiseLevel from = table_.level(timestep_at(step));
            const std::vector<float> times(2 * count, static_cast<float>(timestep_at(step)));
            call.latent = gpu::concat({x, x}, 0), call.timestep = gpu::tensor(times, {2 * n});
            const Tensor both = network(call);
            const Tensor with = gpu::slice(both, 0, 0, n), without = gpu::slice(both, 0, n, 2 * n);      // text
            const Prediction p = predict(t_.moves->info().prediction, without + guidance * (with - without), x, from);
            if (step + 1 < steps) {
                const NoiseLevel to = table_.level(timestep_at(step + 1));
                x = to.signal * p.x0 + to.noise * p.epsilon;
            } else {
                x = p.x0;
            }
            gpu::evaluate({x});
        }
        const Tensor pictures = gpu::clamp((*t_.vae)->decode(x), 0, 1);      // [N, 3, H, W]
        return evaluated(make_image(gpu::reshape(gpu::permute(pictures, {1, 2, 0, 3}), {1, 3, pictures.size(2), n * pictures.size(3)})));
    }

    std::string summary() const override {
        const char* names[] = {"epsilon", "v", "sample"};
        return gpu::format("{}{}, {} prediction, on {} pictures x {}{}{}", t_.moves->summary(), t_.word ? gpu::format(", {} vectors of a word", t_.word->start.size()) : "",
                           names[static_cast<int>(t_.moves->info().prediction)], t_.examples.size(), t_.examples.variants,
                           t_.examples.sizes.size() > 1 ? gpu::format(" of {} sizes", t_.examples.sizes.size()) : "",
                           t_.prior ? gpu::format(" beside {}", t_.prior->size()) : "");
    }

private:
    struct Rows {
        std::vector<float> latents, noise, timesteps, signal, level, weights, contexts, places, pooled;
        std::vector<std::int32_t> ids;
        CellSize cells;
    };

    gpu::Tensors tensors_of(const Rows& rows) const {
        const Examples& e = t_.examples;
        const auto n = static_cast<std::int64_t>(rows.timesteps.size());
        const gpu::Shape shape{n, e.format.channels, rows.cells.height, rows.cells.width}, one{n, 1, 1, 1};
        gpu::Tensors all{gpu::tensor(rows.latents, shape), gpu::tensor(rows.noise, shape), gpu::tensor(rows.timesteps, {n}), gpu::tensor(rows.signal, one), gpu::tensor(rows.level, one),
                         gpu::tensor(rows.weights, rows.weights.size() == rows.timesteps.size() ? one : gpu::Shape{n, 1, rows.cells.height, rows.cells.width})};
        if (t_.word) {
            all.push_back(gpu::tensor_i32(rows.ids, {n, e.tokens}));
            all.push_back(gpu::tensor(rows.places, {n, e.tokens, vectors()}));
            return all;
        }
        all.push_back(gpu::tensor(rows.contexts, {n, e.tokens, e.context_width}));
        if (const UnetConfig& config = t_.moves->config(); config.label_width > 0) {
            all.push_back(gpu::tensor(rows.pooled, {n, config.pooled_width}));
            all.push_back(size_numbers({}, config.size_ids(), static_cast<double>(rows.cells.height * e.format.factor), static_cast<double>(rows.cells.width * e.format.factor)));
        }
        return all;
    }

    void check_examples(const Examples& e, const char* what) const {
        const UnetConfig& config = t_.moves->config();
        gpu::check(e.size() > 0, gpu::ErrorCode::InvalidGraph, "train UNet: expected {}, got none", what);
        gpu::check(config.in_channels == e.format.channels, gpu::ErrorCode::InvalidGraph, "train UNet: expected latents of {} channels, got {}", config.in_channels,
                   e.format.channels);
        gpu::check(config.context_width == e.context_width, gpu::ErrorCode::InvalidGraph, "train UNet: expected text of width {}, got {}", config.context_width,
                   e.context_width);
        gpu::check(config.label_width == 0 || (config.pooled_width > 0 && config.size_ids() > 0), gpu::ErrorCode::InvalidGraph,
                   "train UNet: expected a network that reads text, or text, pooled text and sizes, got one that reads labels of {}", config.label_width);
        gpu::check(config.label_width == 0 || config.pooled_width == e.pooled_width, gpu::ErrorCode::InvalidGraph,
                   "train UNet: expected {} with pooled text of width {}, got {}: was it encoded by another family's text encoder?", what, config.pooled_width, e.pooled_width);
    }
    std::int64_t vectors() const { return static_cast<std::int64_t>(t_.word->start.size()); }
    static NoiseAddress address(std::uint64_t seed, std::uint32_t stream, std::uint64_t number) {
        return {seed, stream, static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(number >> 32)};
    }

    void add(Rows& rows, const Examples& e, const Visit& visit, std::uint64_t seed, std::uint32_t stream, double weight) const {
        gpu::check(rows.timesteps.empty() || rows.cells == e.cells_of(visit.item), gpu::ErrorCode::InvalidGraph, "train UNet: expected examples of one size in a batch, got several");
        rows.cells = e.cells_of(visit.item);
        std::array<float, 4> drawn{};
        philox_uniform(address(seed, stream, visit.number), drawn);
        const int variant = std::min(e.variants - 1, static_cast<int>(drawn[0] * static_cast<float>(e.variants)));
        const int timestep = std::min(table_.count() - 1, static_cast<int>(drawn[1] * static_cast<float>(table_.count())));
        const std::span<const float> latent = e.latent(visit.item, variant);
        rows.latents.insert(rows.latents.end(), latent.begin(), latent.end());
        rows.noise.resize(rows.noise.size() + latent.size());
        philox_normal(address(seed, stream == choice_stream ? noise_stream : stream + 1, visit.number), std::span(rows.noise).last(latent.size()));
        const NoiseLevel level = table_.level(timestep);
        rows.timesteps.push_back(static_cast<float>(timestep));
        rows.signal.push_back(static_cast<float>(level.signal)), rows.level.push_back(static_cast<float>(level.noise));
        add_weights(rows, e, visit.item, variant, weight * weight_at(level));
        tell(rows, e, drawn[2] < t_.loss.drop_text ? e.size() : visit.item, drawn[3]);
    }

    // One weight, or one for each cell where any of the examples have masks: Masked Loss of kohya-ss/sd-scripts and OneTrainer.
    void add_weights(Rows& rows, const Examples& e, std::int64_t item, int variant, double weight) const {
        const auto cells = static_cast<std::size_t>(rows.cells.height * rows.cells.width);
        if (!e.masks) {
            rows.weights.insert(rows.weights.end(), has_masks() ? cells : 1, static_cast<float>(weight));
            return;
        }
        const std::span<const float> mask = e.mask(item, variant);
        const auto counts = [&](float share) { return t_.loss.outside + (1 - t_.loss.outside) * static_cast<double>(share); };
        double mean = 0;
        for (const float share : mask) mean += counts(share) / static_cast<double>(cells);
        const double scale = t_.loss.even && mean > 0 ? weight / mean : weight;
        for (const float share : mask) rows.weights.push_back(static_cast<float>(scale * counts(share)));
    }
    bool has_masks() const { return t_.examples.masks || (t_.prior && t_.prior->masks); }

    // What the network is told of an example; of the one behind the last: nothing.
    void tell(Rows& rows, const Examples& e, std::int64_t item, float choice) const {
        if (!t_.word) {
            const std::size_t text = e.context_elements();
            const auto context = e.contexts->begin() + item * static_cast<std::ptrdiff_t>(text);
            rows.contexts.insert(rows.contexts.end(), context, context + static_cast<std::ptrdiff_t>(text));
            if (t_.moves->config().label_width == 0) return;
            const auto whole = e.pooled->begin() + item * e.pooled_width;
            rows.pooled.insert(rows.pooled.end(), whole, whole + e.pooled_width);
            return;
        }
        const TextTower& tower = *t_.word->encoder.towers()[0].tower;
        const auto length = static_cast<std::size_t>(e.tokens), count = static_cast<std::size_t>(vectors());
        std::string text = item < e.size() ? e.captions[static_cast<std::size_t>(item)] : "";
        if (&e == &t_.examples && item < e.size()) {
            const auto templates = static_cast<float>(t_.word->templates.size());
            std::string told = t_.word->templates[std::min(t_.word->templates.size() - 1, static_cast<std::size_t>(choice * templates))];
            if (const std::size_t own = told.find("[caption]"); own != told.npos) told.replace(own, 9, text);
            text = told;
        }
        std::vector<std::int32_t> ids{tower.info().start};
        std::vector<std::pair<std::size_t, std::size_t>> marks;      // token, vector
        const auto say = [&](const std::string& part) {
            for (const int id : tower.tokens(part))
                if (ids.size() + 1 < length) ids.push_back(id);
        };
        for (std::size_t at = 0;;) {
            const std::size_t word = text.find("{}", at);
            say(text.substr(at, word == text.npos ? word : word - at));
            if (word == text.npos) break;
            for (std::size_t v = 0; v < count && ids.size() + 1 < length; ++v) marks.push_back({ids.size(), v}), ids.push_back(0);
            at = word + 2;
        }
        ids.push_back(tower.info().end);
        ids.resize(length, tower.info().pad);
        rows.ids.insert(rows.ids.end(), ids.begin(), ids.end());
        const std::size_t first = rows.places.size();
        rows.places.resize(first + length * count);
        for (const auto& [token, vector] : marks) rows.places[first + token * count + vector] = 1;
    }

    // The call with what the network is told of these rows.
    DenoiserInput told(const NamedTensors& parameters, const gpu::Tensors& b, DenoiserInput call) const {
        call.context = context_of(parameters, b);
        if (t_.moves->config().label_width > 0) call.pooled = b[Pooled], call.size_ids = b[Sizes];
        return call;
    }

    Tensor context_of(const NamedTensors& parameters, const gpu::Tensors& b) const {
        if (!t_.word) return b[Context];
        return network_->context(b[Context], b[Places], parameters.at(word_name), t_.word->encoder.drop(0), t_.word->encoder.towers()[0].norm);
    }

    // Min-SNR weights, of the loss of x0, for what the network predicts: those of epsilon are divided by the SNR, those of v by SNR + 1.
    double weight_at(const NoiseLevel& level) const {
        if (t_.loss.min_snr <= 0) return 1;
        const PredictionType prediction = t_.moves->info().prediction;
        const double snr = level.alpha_bar() / (level.noise * level.noise), cut = std::min(snr, t_.loss.min_snr);
        if (prediction == PredictionType::Sample) return cut;
        return prediction == PredictionType::V ? cut / (snr + 1) : snr > 0 ? cut / snr : 1;
    }

    DiffusionTraining t_;
    std::map<CellSize, std::vector<std::int64_t>> prior_of_;      // the prior's examples of each size
    NoiseTable table_;
    std::shared_ptr<const TextNetwork> network_;
};

}  // namespace

std::vector<std::vector<float>> start_vectors(const Encoder& encoder, const std::string& like, int count) {
    gpu::check(encoder.towers().size() == 1, gpu::ErrorCode::InvalidGraph, "train word: expected one text tower, got {}", encoder.towers().size());
    const TextTower& tower = *encoder.towers()[0].tower;
    const std::vector<int> ids = tower.tokens(like);
    gpu::check(!ids.empty() && count > 0, gpu::ErrorCode::InvalidGraph, "train word: expected a word to start from, got \"{}\"", like);
    const std::vector<float> table = gpu::to_floats(gpu::to_leaf(tower.weights().at("text_model.embeddings.token_embedding.weight")));
    const int width = tower.info().width;
    std::vector<std::vector<float>> rows;
    for (int i = 0; i < count; ++i) {
        const auto row = table.begin() + static_cast<std::ptrdiff_t>(ids[static_cast<std::size_t>(i) % ids.size()]) * width;
        rows.emplace_back(row, row + width);
    }
    return rows;
}

ModelInfo training_info(const UnetConfig& config, const Examples& examples, PredictionType prediction, const NoiseTableOptions& noise) {
    ModelInfo info = unet_info(config);
    info.prediction = prediction, info.noise = noise, info.latent = examples.format;
    return info;
}

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
