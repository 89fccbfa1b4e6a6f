// Datasets, objectives and the training loop: the walk over items, pictures in frames, what a small autoencoder learns, and runs that are
// stopped and gone on with.
#include <QFile>
#include <QTemporaryDir>
#include <cmath>
#include <set>

#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/codec/emoji_font.h"
#include "nodes/training/autoencoder.h"
#include "nodes/training/loop.h"
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

std::vector<float> weights_in_order(const Trained& trained) {
    const auto kl = std::dynamic_pointer_cast<const KlAutoencoder>(trained.part<Vae>().model);
    std::vector<float> all;
    for (const auto& [name, weight] : kl->weights()) {
        const std::vector<float> values = gpu::to_floats(gpu::to_leaf(weight));
        all.insert(all.end(), values.begin(), values.end());
    }
    return all;
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
