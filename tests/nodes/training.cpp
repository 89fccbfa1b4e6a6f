// Datasets, objectives and the training loop: the walk over items, pictures in frames, what a small autoencoder learns, and runs that are
// stopped and gone on with.
#include <sys/resource.h>

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <cmath>
#include <csignal>
#include <set>

#include "gpu/io/pending_writes.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/codec/emoji_font.h"
#include "nodes/training/autoencoder.h"
#include "nodes/training/byte_pairs.h"
#include "nodes/training/contrastive.h"
#include "nodes/training/diffusion.h"
#include "nodes/training/loop.h"
#include "nodes/types/conditioning.h"
#include "nodes/types/encoder.h"
#include "nodes/types/vision.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::failure_of;
using tests::run_node;

namespace {

std::shared_ptr<const Pixels> filled(int width, int height, std::array<std::uint8_t, 4> colour) {
    auto picture = std::make_shared<Pixels>(Pixels{width, height, {}});
    for (int i = 0; i < width * height; ++i) picture->rgba.insert(picture->rgba.end(), colour.begin(), colour.end());
    return picture;
}

// Discs of a few colours, sizes and places.
Dataset discs(int count, int side = 16) {
    std::vector<std::string> captions;
    std::vector<std::shared_ptr<const Pixels>> pictures;
    for (int n = 0; n < count; ++n) {
        auto picture = std::make_shared<Pixels>(Pixels{32, 32, std::vector<std::uint8_t>(32 * 32 * 4)});
        const double cx = 10 + n * 5 % 13, cy = 10 + n * 7 % 11, r = 4 + n % 6;
        for (int y = 0; y < 32; ++y)
            for (int x = 0; x < 32; ++x) {
                if (std::hypot(x - cx, y - cy) > r) continue;
                const std::uint8_t colour[] = {static_cast<std::uint8_t>(n % 2 * 255), static_cast<std::uint8_t>(n % 3 * 120), static_cast<std::uint8_t>(n % 5 * 60), 255};
                std::copy(std::begin(colour), std::end(colour), picture->rgba.begin() + 4 * (y * 32 + x));
            }
        captions.push_back(gpu::format("disc {}", n));
        pictures.push_back(std::move(picture));
    }
    Dataset dataset{.source = memory_source(std::move(captions), std::move(pictures)), .items = {}, .framing = {.width = side, .height = side, .fill = 1}};
    for (int n = 0; n < count; ++n) dataset.items.push_back(n);
    return dataset;
}

// While it lives, no file of this process grows beyond a size once that is set: writing more fails, as on a full disk.
class FileSizeLimit {
public:
    FileSizeLimit() {
        getrlimit(RLIMIT_FSIZE, &before_);
        handler_ = std::signal(SIGXFSZ, SIG_IGN);
    }
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;
    void set(rlim_t bytes) const {
        const rlimit now{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &now);
    }

private:
    rlimit before_{};
    void (*handler_)(int) = nullptr;
};

VaeConfig tiny_config() {
    VaeConfig config = vae_config({8, 16}, 4, 1);
    config.quant_conv = config.post_quant_conv = true;
    return config;
}

TrainPlan plan_of(std::int64_t steps, const std::string& checkpoint = {}) {
    TrainPlan plan;
    plan.options.schedule.rate = 4e-3;
    plan.options.max_norm = 1;
    plan.options.ema.decay = 0.95;
    plan.steps = steps;
    plan.batch = 8;
    plan.seed = 3;
    plan.checkpoint = checkpoint;
    return plan;
}

// Eight pictures of 4 x 4 cells, each channel of each one a constant that its context tells.
Examples small_examples() {
    Examples examples{.format = {.family = "pico", .channels = 4}, .height = 4, .width = 4, .tokens = 2, .context_width = 8};
    std::vector<float> latents, contexts;
    for (int n = 0; n <= 8; ++n) {
        if (n < 8) examples.captions.push_back(gpu::format("number {}", n));
        for (int i = 0; i < 16; ++i) contexts.push_back(i == 0 ? (n < 8 ? static_cast<float>(n) : -1.0f) : i / 2 == n ? 3.0f : 0.0f);
        for (int i = 0; i < 64 && n < 8; ++i) latents.push_back(n >> (i / 16 % 3) & 1 ? 1.0f : -1.0f);
    }
    examples.latents = std::make_shared<const std::vector<float>>(latents);
    examples.contexts = std::make_shared<const std::vector<float>>(contexts);
    return examples;
}

std::vector<float> weights_in_order(const Trained& trained) {
    const auto kl = std::dynamic_pointer_cast<const KlAutoencoder>(trained.part<Vae>().model);
    std::vector<float> all;
    for (const auto& [name, weight] : kl->weights()) {
        const std::vector<float> values = gpu::to_floats(gpu::to_leaf(weight));
        all.insert(all.end(), values.begin(), values.end());
    }
    return all;
}

MovementRef small_network(const Examples& examples, PredictionType type, const NoiseTableOptions& noise = {}, int channels = 4) {
    const UnetConfig config = small_unet_config({32}, {true}, 1, channels, 8);
    return whole_network(config, training_info(config, examples, type, noise), {}, 0);
}

}  // namespace

class TrainingTest : public QObject {
    Q_OBJECT

private slots:
    void a_pass_shows_every_item_once() {
        std::vector<std::int64_t> first, second, again;
        for (std::uint64_t at = 0; at < 50; ++at) first.push_back(visit_at(7, at, 50).item);
        for (std::uint64_t at = 50; at < 100; ++at) second.push_back(visit_at(7, at, 50).item);
        for (std::uint64_t at = 0; at < 50; ++at) again.push_back(visit_at(7, at, 50).item);
        QCOMPARE(std::set(first.begin(), first.end()).size(), std::size_t(50));
        QCOMPARE(std::set(second.begin(), second.end()).size(), std::size_t(50));
        QVERIFY(first == again && first != second);
        QVERIFY(visit_at(8, 0, 50).item != first[0] || visit_at(8, 1, 50).item != first[1]);
        QCOMPARE(visit_at(1, 12, 1).item, 0);
        QVERIFY_EXCEPTION_THROWN(visit_at(1, 0, 0), gpu::Error);
    }

    void pictures_lie_in_their_frame() {
        // Half transparent red, twice as wide as high, on blue.
        const auto red = filled(20, 10, {255, 0, 0, 128});
        const Framing framing{.width = 16, .height = 16, .fill = 1, .background = {0, 0, 1}};
        std::vector<float> out(3 * 16 * 16);
        draw_framed(*red, framing, 0, nullptr, out);
        const auto at = [&](int c, int y, int x) { return out[static_cast<std::size_t>((c * 16 + y) * 16 + x)]; };
        QVERIFY(std::abs(at(0, 8, 8) - 128 / 255.0f) < 1e-5f && std::abs(at(2, 8, 8) - 127 / 255.0f) < 1e-5f);
        QCOMPARE(at(0, 1, 8), 0.0f);
        QCOMPARE(at(2, 14, 8), 1.0f);
        draw_framed(*filled(1, 1, {0, 255, 0, 255}), {.width = 3, .height = 5, .fill = 1}, 0, nullptr, std::span(out).first(45));
        QVERIFY(out[15 + 7] > 0.99f && out[7] < 0.6f);      // the middle is green, the red channel is not
    }

    void a_visit_decides_its_choices() {
        Dataset dataset = discs(4);
        dataset.framing.zoom = 0.3, dataset.framing.shift = 0.2, dataset.framing.rotate = 30, dataset.framing.mirror = 0.5;
        const std::vector<Visit> visits{{1, 5}, {1, 5}, {1, 6}};
        const std::vector<float> drawn = gpu::to_floats(dataset.pictures(visits, 9)), other = gpu::to_floats(dataset.pictures(visits, 10));
        const std::size_t each = drawn.size() / 3;
        QVERIFY(std::equal(drawn.begin(), drawn.begin() + each, drawn.begin() + each));
        QVERIFY(!std::equal(drawn.begin(), drawn.begin() + each, drawn.begin() + 2 * each));
        QVERIFY(drawn != other);
        const std::vector<Visit> beyond{{4, 0}};
        QVERIFY_EXCEPTION_THROWN(dataset.pictures(beyond, 0), gpu::Error);
    }

    void emoji_have_pictures_and_names() {
        if (installed_emoji_font().empty() || installed_emoji_test().empty()) QSKIP("fonts-noto-color-emoji and unicode-data are not installed");
        const auto run = run_node("dataset.emoji", {});
        const Dataset& emoji = run.get<Dataset>("dataset");
        QVERIFY2(emoji.size() > 1000, qPrintable(QString::number(emoji.size())));
        std::int64_t heart = -1;
        for (std::int64_t i = 0; i < emoji.size(); ++i) {
            QVERIFY(emoji.caption(i).find("skin tone") == std::string::npos);
            if (emoji.caption(i) == "red heart") heart = i;
        }
        QVERIFY(heart >= 0);
        const std::int64_t one[] = {heart};
        const gpu::Tensor picture = emoji.pictures(one);
        const auto middle = [&](int c) { return gpu::to_floats(gpu::slice(gpu::slice(gpu::slice(picture, 1, c, c + 1), 2, 32, 33), 3, 32, 33))[0]; };
        QVERIFY(middle(0) > 0.6f && middle(1) < 0.4f && middle(2) < 0.4f);
        const auto with_tones = run_node("dataset.emoji", {{"skin_tones", true}, {"flags", true}});
        QVERIFY(with_tones.get<Dataset>("dataset").size() > 2 * emoji.size());
    }

    void a_list_of_names_is_read_or_refused() {
        const QTemporaryDir folder;
        const auto file = [&](const char* text) {
            QFile f(folder.filePath("list.txt"));
            (void)f.open(QIODevice::WriteOnly);
            f.write(text);
            return folder.filePath("list.txt").toStdString();
        };
        const auto entries = read_emoji_test(file("# group: Food\n# subgroup: fruit\n1F34E ; fully-qualified # x E0.6 red apple\n1F34F ; component # x E0.6 y\n"));
        QCOMPARE(entries.size(), std::size_t(1));
        QCOMPARE(entries[0].name, std::string("red apple"));
        QCOMPARE(entries[0].group, std::string("Food"));
        QVERIFY(entries[0].text == U"\U0001F34E");
        for (const char* bad : {"", "zz ; fully-qualified # x E0.6 red apple\n", "110000 ; fully-qualified # x E0.6 a\n", "1F34E ; fully-qualified # x\n"})
            QVERIFY_EXCEPTION_THROWN(read_emoji_test(file(bad)), gpu::Error);
        QVERIFY(failure_of("dataset.emoji", {{"font", folder.filePath("list.txt")}, {"names", folder.filePath("list.txt")}}) == gpu::ErrorCode::BadFile);
    }

    void a_share_is_held_back() {
        const Value all = Value::of<Dataset>(discs(200));
        const auto sizes = [&](const QJsonObject& params) {
            const auto run = run_node("dataset.split", params, {{"dataset", all}});
            return std::pair(run.get<Dataset>("train").size(), run.get<Dataset>("held").size());
        };
        const auto [train, held] = sizes({{"share", 0.2}});
        QCOMPARE(train + held, 200);
        QVERIFY2(held > 20 && held < 60, qPrintable(QString::number(held)));
        QVERIFY(sizes({{"share", 0}}) == std::pair(std::int64_t(200), std::int64_t(0)));
        QVERIFY(sizes({{"share", 0}, {"hold", "disc 7\ndisc 11"}}) == std::pair(std::int64_t(198), std::int64_t(2)));
        QVERIFY(sizes({{"share", 1}}) == std::pair(std::int64_t(0), std::int64_t(200)));
        // Variants of one subject are on one side, whatever the share.
        const auto dot = filled(2, 2, {0, 0, 0, 255});
        const Dataset variants{.source = memory_source({"a: 1", "a: 2", "a: 3", "a"}, {dot, dot, dot, dot}), .items = {0, 1, 2, 3}};
        for (int seed = 0; seed < 8; ++seed) {
            const auto run = run_node("dataset.split", {{"share", 0.5}, {"seed", seed}}, {{"dataset", Value::of<Dataset>(variants)}});
            QVERIFY(run.get<Dataset>("held").size() % 4 == 0);
        }
    }

    void an_autoencoder_learns() {
        const ObjectiveRef objective = autoencoder_objective({.dataset = discs(24), .validation = {}, .config = tiny_config(), .start = {}, .judge = {}});
        NamedTensors start;
        for (const Parameter& parameter : objective->parameters()) start.emplace(parameter.name, parameter.value);
        const double before = objective->metrics(start)[0].value;
        const TrainOutcome outcome = train(*objective, plan_of(120), {});
        QVERIFY2(outcome.metrics[0].value > before + 6, qPrintable(QString("%1 -> %2 dB").arg(before).arg(outcome.metrics[0].value)));

        // The latents' statistics have gone into the convolutions: mean 0, deviation 1, and the pictures are the same.
        const Vae& vae = outcome.trained.part<Vae>();
        std::vector<std::int64_t> indices(24);
        for (std::size_t i = 0; i < 24; ++i) indices[i] = static_cast<std::int64_t>(i);
        const gpu::Tensor pictures = discs(24).pictures(indices), z = vae->encode(pictures);
        for (const float mean : gpu::to_floats(gpu::mean(z, {0, 2, 3}))) QVERIFY(std::abs(mean) < 1e-3f);
        for (const float square : gpu::to_floats(gpu::mean(gpu::square(z), {0, 2, 3}))) QVERIFY2(std::abs(square - 1) < 2e-2f, qPrintable(QString::number(square)));
        const double after = mean_psnr(gpu::clamp(vae->decode(z), 0, 1), pictures);
        QVERIFY2(std::abs(after - outcome.metrics[0].value) < 0.01, qPrintable(QString::number(after)));
    }

    // Channels as directions of their own: the same pictures, uncorrelated, the first ones loudest, and what a channel's own deviation changes
    // in the picture falls as its variance says.
    void latents_turn_to_directions_of_the_picture() {
        TrainPlan plan = plan_of(60);
        const auto after = [&](double spectrum) {
            const ObjectiveRef objective = autoencoder_objective({.dataset = discs(24), .validation = {}, .config = tiny_config(), .spectrum = spectrum, .start = {}, .judge = {}});
            return train(*objective, plan, {}).trained.part<Vae>();
        };
        const Vae plain = after(0), turned = after(0.5);
        std::vector<std::int64_t> indices{0, 5, 11, 17};
        const gpu::Tensor pictures = discs(24).pictures(indices), z = turned->encode(pictures);
        const std::vector<float> a = gpu::to_floats(plain->decode(plain->encode(pictures))), b = gpu::to_floats(turned->decode(z));
        for (std::size_t i = 0; i < a.size(); ++i) QVERIFY2(std::abs(a[i] - b[i]) < 2e-3f, qPrintable(QString("%1 %2").arg(a[i]).arg(b[i])));

        std::vector<std::int64_t> every(24);
        for (std::size_t i = 0; i < 24; ++i) every[i] = static_cast<std::int64_t>(i);
        const gpu::Tensor all = turned->encode(discs(24).pictures(every));
        const std::int64_t channels = all.size(1), cells = gpu::element_count(all.shape()) / channels;
        const gpu::Tensor rows = gpu::reshape(gpu::permute(all, {1, 0, 2, 3}), {channels, cells});
        const std::vector<float> covariance = gpu::to_floats(gpu::matmul(rows, gpu::transpose(rows, 0, 1)) / static_cast<double>(cells));
        float trace = 0;
        for (std::int64_t i = 0; i < channels; ++i)
            for (std::int64_t j = 0; j < channels; ++j) {
                const float value = covariance[static_cast<std::size_t>(i * channels + j)];
                if (i == j) trace += value;
                else QVERIFY2(std::abs(value) < 2e-2f, qPrintable(QString("%1 %2: %3").arg(i).arg(j).arg(value)));
                if (i > 0 && i == j) QVERIFY(value <= covariance[static_cast<std::size_t>((i - 1) * (channels + 1))]);
            }
        QVERIFY2(std::abs(trace / static_cast<float>(channels) - 1) < 1e-2f, qPrintable(QString::number(trace)));
        QVERIFY(covariance.front() > 1.2f * covariance.back());
    }

    void merges_are_learned_from_words() {
        const std::string merges = learn_merges({"red apple", "red cap", "a red APPLE 12"}, 100);
        QVERIFY(merges.starts_with("#version: 0.2\n"));
        const ClipTokenizer tokenizer(merges);
        QCOMPARE(tokenizer.merges(), merges);
        const std::vector<int> ids = tokenizer.encode("red apple");
        QCOMPARE(ids.size(), std::size_t(2));
        QCOMPARE(tokenizer.text_of(ids[0]), QString("red "));
        QCOMPARE(tokenizer.encode("cap").size(), std::size_t(3));      // its pairs stand once
        QVERIFY(tokenizer.encode("12 \xc3\xa4").size() >= 3);
        QCOMPARE(learn_merges({"red apple", "red cap", "a red APPLE 12"}, 2), merges.substr(0, merges.find('\n', merges.find('\n', 14) + 1) + 1));
        QVERIFY_EXCEPTION_THROWN(learn_merges({"a b"}, 3), gpu::Error);
        QVERIFY_EXCEPTION_THROWN(learn_merges({"aa aa"}, 0), gpu::Error);
    }

    void encoders_learn_which_caption_is_whose() {
        ContrastiveTraining training;
        training.dataset = discs(12);
        training.tokenizer = std::make_shared<ClipTokenizer>(learn_merges({"disc", "disc"}, 8));
        training.text = {.width = 32, .layers = 1, .heads = 2, .inner = 64, .positions = 8, .projection = 16};
        training.vision = {.width = 32, .layers = 1, .heads = 2, .inner = 64, .patch = 4, .image = 16, .projection = 16};
        const ObjectiveRef objective = contrastive_objective(training);
        NamedTensors start;
        for (const Parameter& parameter : objective->parameters()) start.emplace(parameter.name, parameter.value);
        const double before = objective->metrics(start)[0].value;
        TrainPlan plan = plan_of(150);
        plan.batch = 12;
        const TrainOutcome outcome = train(*objective, plan, {});
        QVERIFY2(before < 40 && outcome.metrics[0].value > 90, qPrintable(QString("%1 -> %2 %").arg(before).arg(outcome.metrics[0].value)));
        // Both encoders come out, and agree on a pair when they are used as any other.
        const Encoder& encoder = outcome.trained.part<Encoder>();
        const Vision& vision = outcome.trained.part<Vision>();
        const auto text_of = [&](const std::string& caption) {
            TextRow row{{.id = training.tokenizer->start()}};
            for (const int id : encoder.towers()[0].tower->tokens(caption)) row.push_back({.id = id});
            while (row.size() < 8) row.push_back({.id = training.tokenizer->end()});
            return gpu::to_floats((*encoder.network(0))({row}, 0, true, true).pooled);
        };
        const std::int64_t third[] = {3};
        const std::vector<float> seen = gpu::to_floats((*vision.tower)(vision->pixels(training.dataset.pictures(third), VisionFit::Crop)).projected);
        const auto nearness = [&](const std::vector<float>& text) {
            double dot = 0, a = 0, b = 0;
            for (std::size_t i = 0; i < seen.size(); ++i) dot += seen[i] * text[i], a += seen[i] * seen[i], b += text[i] * text[i];
            return dot / std::sqrt(a * b);
        };
        QVERIFY(nearness(text_of("disc 3")) > nearness(text_of("disc 4")) && nearness(text_of("disc 3")) > nearness(text_of("disc 9")));
    }

    void a_network_learns_to_predict_data() {
        QTest::addColumn<int>("type");
        for (const int type : {0, 1, 2}) QTest::newRow(std::array{"epsilon", "v", "sample"}[static_cast<std::size_t>(type)]) << type;
    }
    void a_network_learns_to_predict() {
        QFETCH(int, type);
        const Examples examples = small_examples();
        const ObjectiveRef objective = diffusion_objective({.examples = examples, .moves = small_network(examples, static_cast<PredictionType>(type)), .loss = {.drop_text = 0}});
        NamedTensors start;
        for (const Parameter& parameter : objective->parameters()) start.emplace(parameter.name, parameter.value);
        std::vector<Visit> visits;
        for (std::uint64_t at = 0; at < 64; ++at) visits.push_back(visit_at(1, at, examples.size()));
        const gpu::Tensors batch = objective->batch(visits, 1);
        const auto loss_of = [&](const NamedTensors& parameters) { return gpu::to_floats(objective->loss(parameters, batch))[0]; };
        // Before training the network says nothing: the loss is the target's own size.
        const gpu::Tensor target = type == 0 ? batch[1] : type == 1 ? batch[3] * batch[1] - batch[4] * batch[0] : batch[0];
        const float size = gpu::to_floats(gpu::mean(gpu::square(target)))[0], before = loss_of(start);
        QVERIFY2(std::abs(before - size) < 1e-5f * size, qPrintable(QString("%1, expected %2").arg(before).arg(size)));
        TrainPlan plan = plan_of(120);
        const TrainOutcome outcome = train(*objective, plan, {});
        const Model& model = outcome.trained.part<Model>();
        NamedTensors learned;
        for (const auto& [name, weight] : model.base().weights()) learned.emplace(name, gpu::to_leaf(weight));
        QVERIFY2(loss_of(learned) < 0.6f * before, qPrintable(QString("%1 -> %2").arg(before).arg(loss_of(learned))));
        // The model that comes out predicts what the parameters did.
        const gpu::Tensor x = batch[3] * batch[0] + batch[4] * batch[1];
        const gpu::Tensor said = (*model.denoiser())({.latent = x, .timestep = batch[2], .context = batch[6]});
        QVERIFY(std::abs(gpu::to_floats(gpu::mean(gpu::square(said - target)))[0] - loss_of(learned)) < 1e-4f);
        QVERIFY(model.info().prediction == static_cast<PredictionType>(type));
    }

    void text_is_dropped_and_noise_weighed() {
        const Examples examples = small_examples();
        DiffusionTraining training{.examples = examples, .moves = small_network(examples, PredictionType::V), .loss = {.min_snr = 5, .drop_text = 0.25}};
        std::vector<Visit> visits;
        for (std::uint64_t at = 0; at < 800; ++at) visits.push_back(visit_at(1, at, examples.size()));
        const gpu::Tensors batch = diffusion_objective(training)->batch(visits, 1);
        const std::vector<float> contexts = gpu::to_floats(batch[6]), clear = gpu::to_floats(batch[3]), noisy = gpu::to_floats(batch[4]), weights = gpu::to_floats(batch[5]);
        int dropped = 0;
        for (std::size_t i = 0; i < visits.size(); ++i) {
            const float mark = contexts[i * 16];      // a context's first number is its caption's number, the empty one's is -1
            QVERIFY(mark == -1 || mark == static_cast<float>(visits[i].item));
            dropped += mark == -1;
            const double snr = static_cast<double>(clear[i]) * clear[i] / (static_cast<double>(noisy[i]) * noisy[i]);
            QVERIFY(std::abs(weights[i] - std::min(snr, 5.0) / (snr + 1)) < 1e-3);
        }
        QVERIFY2(dropped > 140 && dropped < 260, qPrintable(QString::number(dropped)));
        training.moves = small_network(examples, PredictionType::Epsilon, {.zero_terminal_snr = true});
        QVERIFY_EXCEPTION_THROWN(diffusion_objective(training), gpu::Error);
        training.moves = small_network(examples, PredictionType::V, {}, 3);
        QVERIFY_EXCEPTION_THROWN(diffusion_objective(training), gpu::Error);
    }

    // The loss against one that is put together pixel by pixel: a masked example's error counts where the mask says.
    void masks_weigh_the_loss() {
        const Examples plain = small_examples();
        Examples masked = plain;
        std::vector<float> masks(8 * 16);
        for (std::size_t i = 0; i < masks.size(); ++i) masks[i] = static_cast<float>(i * 7 % 5) / 4;
        masked.masks = std::make_shared<const std::vector<float>>(masks);
        const std::vector<Visit> visits{{2, 0}, {5, 1}, {7, 2}};
        DiffusionTraining training{.examples = plain, .moves = small_network(plain, PredictionType::V), .loss = {.min_snr = 5}};
        const ObjectiveRef whole = diffusion_objective(training);
        NamedTensors start;
        for (const Parameter& parameter : whole->parameters()) start.emplace(parameter.name, parameter.value);
        gpu::Tensors batch = whole->batch(visits, 4);
        const std::vector<float> weights = gpu::to_floats(batch[5]);
        // Each cell's own share, by the plain objective with the weight of that cell alone.
        std::vector<std::vector<double>> shares(3, std::vector<double>(16));
        for (std::size_t n = 0; n < 3; ++n)
            for (std::size_t cell = 0; cell < 16; ++cell) {
                std::vector<float> one(48);
                one[n * 16 + cell] = weights[n];
                batch[5] = gpu::tensor(one, {3, 1, 4, 4});
                shares[n][cell] = gpu::to_number(whole->loss(start, batch));
            }
        training.examples = masked;
        for (const bool even : {false, true}) {
            training.loss.outside = 0.25, training.loss.even = even;
            const ObjectiveRef objective = diffusion_objective(training);
            double expected = 0;
            for (std::size_t n = 0; n < 3; ++n) {
                const auto at = [&](std::size_t cell) { return 0.25 + 0.75 * masks[static_cast<std::size_t>(visits[n].item) * 16 + cell]; };
                double sum = 0, mean = 0;
                for (std::size_t cell = 0; cell < 16; ++cell) sum += shares[n][cell] * at(cell), mean += at(cell) / 16;
                expected += even ? sum / mean : sum;
            }
            const double loss = gpu::to_number(objective->loss(start, objective->batch(visits, 4)));
            QVERIFY2(std::abs(loss - expected) < 1e-5 * expected, qPrintable(QString("%1 %2").arg(loss).arg(expected)));
        }
    }

    // Dataset to encoders, files, latents, network: the wires of the graphs in resources/graphs/train.
    void the_nodes_fit_together() {
        const QTemporaryDir folder;
        const Value discs16 = Value::of<Dataset>(discs(12)), merges = run_node("dataset.merges", {{"count", 4}}, {{"dataset", discs16}}).outputs.at("merges");
        const auto trained = [](const std::string& type, const QJsonObject& params, const std::map<std::string, Value>& inputs) {
            const Value objective = run_node(type, params, inputs).outputs.at("objective");
            return run_node("train.run", {{"steps", 2}, {"batch", 4}}, {{"objective", objective}}).outputs.at("trained");
        };
        const QJsonObject sizes{{"text_width", 64}, {"text_layers", 1}, {"positions", 8}, {"width", 64}, {"layers", 1}, {"patch", 4}, {"projection", 16}};
        const Value clip = trained("train.clip", sizes, {{"dataset", discs16}, {"merges", merges}});
        const QString file = folder.filePath("clip.safetensors");
        run_node("clip.save", {{"file", file}}, {{"encoder", clip}, {"vision", clip}});
        const Value encoder = run_node("text.encoder_load", {{"file", file}}).outputs.at("encoder"), vision = run_node("vision.load", {{"file", file}}).outputs.at("vision");
        const auto context = [](const Value& e) {
            return gpu::to_floats(run_node("text.encode", {{"text", "disc 3"}}, {{"encoder", e}}).get<Conditioning>("conditioning").entries[0].context);
        };
        QVERIFY(context(encoder) == context(clip));
        QCOMPARE(vision.get<Vision>()->tower->info().projection, 16);
        QVERIFY(failure_of("clip.save", {{"file", file}}) == gpu::ErrorCode::InvalidGraph);

        const Value vae = trained("train.autoencoder", {{"widths", "8,16"}, {"channels", 4}}, {{"dataset", discs16}});
        const auto encoded = run_node("dataset.encode", {{"variants", 2}}, {{"dataset", discs16}, {"vae", vae}, {"encoder", encoder}});
        const Examples& examples = encoded.get<Examples>("examples");
        QCOMPARE(examples.size(), 12);
        QCOMPARE(examples.latents->size(), std::size_t(12 * 2 * 4 * 8 * 8));
        // As the disk cache keeps them.
        const Value kept = socket_type<Examples>().restore(*encoded.outputs.at("examples").stored());
        QVERIFY(*kept.get<Examples>()->latents == *examples.latents && *kept.get<Examples>()->contexts == *examples.contexts);
        QVERIFY(kept.get<Examples>()->captions == examples.captions && kept.get<Examples>()->format == examples.format);
        // A caption's context is what the prompt's is.
        const std::vector<float> third = context(encoder);
        QVERIFY(std::equal(third.begin(), third.end(), examples.contexts->begin() + static_cast<std::ptrdiff_t>(3 * examples.context_elements())));

        // Masks go with the latents, as shares of their cells: the left half and half a cell more.
        auto half = std::make_shared<Pixels>(Pixels{16, 16, std::vector<std::uint8_t>(16 * 16 * 4, 255)});
        for (std::size_t i = 0; i < 256; ++i)
            if (i % 16 > 8) std::fill_n(half->rgba.begin() + static_cast<std::ptrdiff_t>(4 * i), 3, std::uint8_t(0));
        Dataset some = discs(2);
        some.source = memory_source({"a", "b"}, {filled(16, 16, {9, 9, 9, 255}), filled(16, 16, {9, 9, 9, 255})}, {half, nullptr});
        const auto masked = run_node("dataset.encode", {}, {{"dataset", Value::of<Dataset>(some)}, {"vae", vae}, {"encoder", encoder}});
        const Value again = socket_type<Examples>().restore(*masked.outputs.at("examples").stored());
        const std::vector<float>& masks = *again.get<Examples>()->masks;
        QCOMPARE(masks.size(), std::size_t(2 * 64));
        for (std::size_t i = 0; i < 128; ++i) {
            const float wanted = i >= 64 || i % 8 < 4 ? 1.0f : i % 8 == 4 ? 0.5f : 0.0f;
            QVERIFY2(std::abs(masks[i] - wanted) < 1e-6f, qPrintable(QString("%1: %2").arg(i).arg(masks[i])));
        }

        const Value model = trained("train.unet", {{"channels", "32"}, {"attends", "1"}}, {{"examples", kept}}).converted_to(socket_type<Model>());
        QCOMPARE(model.get<Model>()->info().context_width, 64);
        const Value more = trained("train.unet", {}, {{"examples", kept}, {"start", model}}).converted_to(socket_type<Model>());
        QCOMPARE(more.get<Model>()->base().weights().size(), model.get<Model>()->base().weights().size());
        QVERIFY(failure_of("train.unet", {{"channels", "33"}, {"attends", "1"}}, {{"examples", kept}}) == gpu::ErrorCode::InvalidGraph);
    }

    void the_decoder_alone_can_move() {
        const ObjectiveRef first = autoencoder_objective({.dataset = discs(8), .validation = {}, .config = tiny_config(), .start = {}, .judge = {}});
        const Trained trained = train(*first, plan_of(4), {}).trained;
        const auto start = std::dynamic_pointer_cast<const KlAutoencoder>(trained.part<Vae>().model);
        const ObjectiveRef second =
            autoencoder_objective({.dataset = discs(8), .validation = {}, .config = start->config(), .start = start, .decoder_only = true, .judge = {}});
        const Trained more = train(*second, plan_of(4), {}).trained;
        std::vector<std::int64_t> indices{0, 3};
        const gpu::Tensor pictures = discs(8).pictures(indices);
        QVERIFY(gpu::to_floats(trained.part<Vae>()->encode(pictures)) == gpu::to_floats(more.part<Vae>()->encode(pictures)));
        QVERIFY(weights_in_order(trained) != weights_in_order(more));
    }

    void a_run_that_was_stopped_ends_the_same() {
        const QTemporaryDir folder;
        const std::string state = folder.filePath("state.safetensors").toStdString(), log = folder.filePath("log.csv").toStdString();
        const auto objective = [] { return autoencoder_objective({.dataset = discs(12), .validation = {}, .config = tiny_config(), .start = {}, .judge = {}}); };
        const std::vector<float> whole = weights_in_order(train(*objective(), plan_of(9), {}).trained);
        TrainPlan plan = plan_of(9, state);
        plan.log = log, plan.log_every = 1, plan.checkpoint_every = 2;
        for (const std::int64_t stop : {3, 4, 7}) {      // behind a checkpoint, at one, behind another
            const gpu::CancelToken token;
            TrainEvents events;
            events.progress = [&](const TrainProgress& at) {
                if (at.step == stop) token.cancel();
            };
            QVERIFY_EXCEPTION_THROWN(train(*objective(), plan, token, events), gpu::Cancelled);
        }
        std::int64_t steps = 0;
        TrainEvents events;
        events.progress = [&](const TrainProgress&) { ++steps; };
        const TrainOutcome outcome = train(*objective(), plan, {}, events);
        QCOMPARE(steps, 2);
        QVERIFY(weights_in_order(outcome.trained) == whole);
        QFile table(QString::fromStdString(log));
        QVERIFY(table.open(QIODevice::ReadOnly));
        const QList<QByteArray> rows = table.readAll().trimmed().split('\n');
        QCOMPARE(rows.size(), 10);
        for (int i = 1; i < 10; ++i) QVERIFY(rows[i].startsWith(QByteArray::number(i) + ","));
        // A run that is over does nothing more; one of another seed is another run.
        QVERIFY(weights_in_order(train(*objective(), plan, {}).trained) == whole);
        plan.seed = 4;
        try {
            train(*objective(), plan, {});
            QFAIL("a checkpoint of another seed was taken");
        } catch (const gpu::Error& error) {
            QVERIFY(error.code() == gpu::ErrorCode::BadFile);
        }
    }

    // A limit on the size of files stands in for the disk.
    void a_full_disk_costs_no_state() {
        const QTemporaryDir folder;
        const std::string state = folder.filePath("state.safetensors").toStdString();
        const auto objective = [] { return autoencoder_objective({.dataset = discs(12), .validation = {}, .config = tiny_config(), .start = {}, .judge = {}}); };
        const std::vector<float> whole = weights_in_order(train(*objective(), plan_of(6), {}).trained);
        TrainPlan plan = plan_of(6, state);
        plan.checkpoint_every = 2;
        {
            FileSizeLimit limit;
            TrainEvents events;
            events.progress = [&](const TrainProgress& at) {
                if (at.step == 3) limit.set(1000);
            };
            try {
                train(*objective(), plan, {}, events);
                QFAIL("a checkpoint was written to a full disk");
            } catch (const gpu::Error& error) {
                QCOMPARE(error.code(), gpu::ErrorCode::Io);
                QVERIFY2(std::string(error.what()).find("state.safetensors") != std::string::npos, error.what());
            }
        }
        QCOMPARE(QDir(folder.path()).entryList(QDir::Files | QDir::Hidden).size(), 1);      // no half of a file beside it
        std::int64_t steps = 0;
        TrainEvents events;
        events.progress = [&](const TrainProgress&) { ++steps; };
        QVERIFY(weights_in_order(train(*objective(), plan, {}, events).trained) == whole);
        QCOMPARE(steps, 4);     // from the state of step 2
    }

    // The run has ended when the disk turns out to be full: whoever waits for its files is told, and the state from before stays.
    void a_stopped_run_tells_of_a_full_disk_later() {
        const QTemporaryDir folder;
        const std::string state = folder.filePath("state.safetensors").toStdString();
        const auto objective = [] { return autoencoder_objective({.dataset = discs(12), .validation = {}, .config = tiny_config(), .start = {}, .judge = {}}); };
        const std::vector<float> whole = weights_in_order(train(*objective(), plan_of(6), {}).trained);
        const auto stop_at = [&](std::int64_t step, const std::function<void()>& first) {
            const gpu::CancelToken token;
            TrainEvents events;
            bool resumable = false;
            events.stopped = [&](const TrainProgress&) { resumable = true; };
            events.progress = [&](const TrainProgress& at) {
                if (at.step == step) first(), token.cancel();
            };
            QVERIFY_EXCEPTION_THROWN(train(*objective(), plan_of(6, state), token, events), gpu::Cancelled);
            QVERIFY(resumable);
        };
        stop_at(2, [] {});
        QVERIFY(gpu::failed_writes().empty());
        {
            FileSizeLimit limit;
            stop_at(4, [&] { limit.set(1000); });
            const std::vector<gpu::FailedWrite> failed = gpu::failed_writes();
            QCOMPARE(failed.size(), std::size_t(1));
            QCOMPARE(failed[0].path, state);
            QCOMPARE(failed[0].code, gpu::ErrorCode::Io);
        }
        QCOMPARE(QDir(folder.path()).entryList(QDir::Files | QDir::Hidden).size(), 1);
        std::int64_t steps = 0;
        TrainEvents events;
        events.progress = [&](const TrainProgress&) { ++steps; };
        QVERIFY(weights_in_order(train(*objective(), plan_of(6, state), {}, events).trained) == whole);
        QCOMPARE(steps, 4);     // from the state of step 2
    }

    // Latents that are kept on disk are read for what they are: of other pictures, another shape, cut off, they are no examples, and the
    // cache computes them again. Of another autoencoder they are named when a network is asked to learn them.
    void latents_of_another_size_are_not_learned() {
        const Examples examples = small_examples();
        const StoredValue good = *Value::of<Examples>(examples).stored();
        const auto restored = [](StoredValue value) { return socket_type<Examples>().restore(value).get<Examples>()->size(); };
        QCOMPARE(restored(good), examples.size());
        const gpu::Tensor& latents = good.tensors.at("latents");
        for (const gpu::Tensor& wrong : {gpu::slice(latents, 0, 0, latents.size(0) - 1), gpu::reshape(latents, {latents.size(0), -1}), gpu::concat({latents, latents}, 0)}) {
            StoredValue bad = good;
            bad.tensors["latents"] = wrong;
            QVERIFY_EXCEPTION_THROWN(restored(bad), gpu::Error);
        }
        StoredValue bare = good;
        bare.tensors.erase("contexts");
        QVERIFY_EXCEPTION_THROWN(restored(bare), gpu::Error);

        Examples narrow = examples;
        narrow.format.channels = 1;
        try {
            diffusion_objective({.examples = narrow, .moves = small_network(examples, PredictionType::V), .loss = {}});
            QFAIL("latents of another autoencoder were taken");
        } catch (const gpu::Error& error) {
            QCOMPARE(error.code(), gpu::ErrorCode::InvalidGraph);
            QVERIFY2(std::string(error.what()).find("channels, got 1") != std::string::npos, error.what());
        }
    }

    void what_was_trained_goes_where_it_fits() {
        const ObjectiveRef objective = autoencoder_objective({.dataset = discs(4), .validation = {}, .config = tiny_config(), .start = {}, .judge = {}});
        const auto run = run_node("train.run", {{"steps", 2}, {"batch", 4}}, {{"objective", Value::of<ObjectiveRef>(objective)}});
        const Value trained = Value::of<Trained>(run.get<Trained>("trained"));
        QVERIFY(trained.converted_to(socket_type<Vae>()).get<Vae>());
        QVERIFY_EXCEPTION_THROWN(trained.get<Trained>()->part<Dataset>(), gpu::Error);
        QVERIFY(failure_of("train.autoencoder", {{"widths", "8,x"}}, {{"dataset", Value::of<Dataset>(discs(4))}}) == gpu::ErrorCode::InvalidGraph);
        Dataset odd = discs(4, 18);
        QVERIFY(failure_of("train.autoencoder", {{"widths", "8,8,8"}}, {{"dataset", Value::of<Dataset>(odd)}}) == gpu::ErrorCode::InvalidGraph);
        odd.items.clear();
        QVERIFY(failure_of("train.autoencoder", {{"widths", "8,8"}}, {{"dataset", Value::of<Dataset>(odd)}}) == gpu::ErrorCode::InvalidGraph);
    }
};

HEDDLE_TEST(training, TrainingTest)
#include "training.moc"
