// Attention maps: against the same sums in plain loops over the queries and keys of a small UNet, and of the built-in model.
#include "nodes/models/diffusion/attention_maps.h"

#include <algorithm>
#include <cmath>

#include "gpu/base/switches.h"
#include "gpu/run/evaluate.h"
#include "nodes/core/document.h"
#include "nodes/core/lowering.h"
#include "nodes/models/diffusion/attention_record.h"
#include "nodes/models/diffusion/loop.h"
#include "nodes/models/unet/unet.h"
#include "nodes/types/encoder.h"
#include "nodes/types/image.h"
#include "nodes/types/mask.h"
#include "nodes/types/text.h"
#include "tests/support/compare.h"
#include "tests/support/named_weights.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::draw_tensor;
using tests::named_weights;
using tests::relative_error;

namespace {

UnetConfig small_config() {
    UnetConfig config;
    config.levels = {{16, 2, {1}, {1, 1}}, {32, 4, {2}, {2, 0}}};
    config.middle_depth = 1, config.middle_heads = 4;
    config.context_width = 12;
    config.groups = 8;
    config.time_width = 64;
    return config;
}

Model small_model() {
    const Scope scope = Scope::shapes();
    const UnetNetwork network(scope, small_config());
    return Model(make_unet(named_weights(scope), small_config(), unet_info(small_config())));
}

struct Layer {
    AttentionSite site;
    Tensor q, k;
};

// Keeps what cross-attention works on.
struct Spy final : AttentionPatch {
    mutable std::vector<Layer> layers;
    std::string summary() const override { return "spy"; }
    Tensor result(const AttentionSite& site, const AttentionCall& call, const Tensor& result) const override {
        if (site.cross) layers.push_back({site, call.q, call.k});
        return result;
    }
};

// softmax(q k^T / sqrt(d)), averaged over heads: [token][row][column] of one picture, in double precision.
std::vector<double> scores_of(const Layer& layer, std::int64_t picture) {
    const std::int64_t heads = layer.q.size(1), cells = layer.q.size(2), d = layer.q.size(3), tokens = layer.k.size(2);
    const std::vector<float> q = gpu::to_floats(layer.q), k = gpu::to_floats(layer.k);
    std::vector<double> mean(static_cast<std::size_t>(tokens * cells));
    for (std::int64_t h = 0; h < heads; ++h)
        for (std::int64_t t = 0; t < cells; ++t) {
            std::vector<double> scores;
            double sum = 0;
            for (std::int64_t j = 0; j < tokens; ++j) {
                double dot = 0;
                for (std::int64_t i = 0; i < d; ++i)
                    dot += double(q[static_cast<std::size_t>(((picture * heads + h) * cells + t) * d + i)]) * k[static_cast<std::size_t>(((picture * heads + h) * tokens + j) * d + i)];
                scores.push_back(std::exp(dot / std::sqrt(double(d))));
                sum += scores.back();
            }
            for (std::int64_t j = 0; j < tokens; ++j) mean[static_cast<std::size_t>(j * cells + t)] += scores[static_cast<std::size_t>(j)] / sum / double(heads);
        }
    return mean;
}

// Bilinear between the centres of cells, the edges held.
double sample(const std::vector<double>& map, std::int64_t token, const AttentionSite& site, double y, double x) {
    const auto at = [&](std::int64_t row, std::int64_t column) {
        row = std::clamp<std::int64_t>(row, 0, site.rows - 1), column = std::clamp<std::int64_t>(column, 0, site.columns - 1);
        return map[static_cast<std::size_t>((token * site.rows + row) * site.columns + column)];
    };
    const auto row = static_cast<std::int64_t>(std::floor(y)), column = static_cast<std::int64_t>(std::floor(x));
    const double fy = y - double(row), fx = x - double(column);
    return (1 - fy) * ((1 - fx) * at(row, column) + fx * at(row, column + 1)) + fy * ((1 - fx) * at(row + 1, column) + fx * at(row + 1, column + 1));
}

std::vector<float> by_hand(const std::vector<Layer>& layers, std::int64_t pictures, std::int64_t tokens, std::int64_t height, std::int64_t width) {
    std::vector<double> sum(static_cast<std::size_t>(pictures * tokens * height * width));
    for (const Layer& layer : layers)
        for (std::int64_t n = 0; n < pictures; ++n) {
            const std::vector<double> map = scores_of(layer, n);
            for (std::int64_t j = 0; j < tokens; ++j)
                for (std::int64_t y = 0; y < height; ++y)
                    for (std::int64_t x = 0; x < width; ++x)
                        sum[static_cast<std::size_t>(((n * tokens + j) * height + y) * width + x)] +=
                            sample(map, j, layer.site, (double(y) + 0.5) * double(layer.site.rows) / double(height) - 0.5,
                                   (double(x) + 0.5) * double(layer.site.columns) / double(width) - 0.5);
        }
    std::vector<float> mean;
    for (const double one : sum) mean.push_back(static_cast<float>(one / double(layers.size())));
    return mean;
}

// The largest distance from 1 of a cell's sum over the tokens.
double farthest_from_one(const std::vector<float>& maps, std::int64_t tokens, std::int64_t cells) {
    double most = 0;
    for (std::size_t first = 0; first < maps.size(); first += static_cast<std::size_t>(tokens * cells))
        for (std::int64_t c = 0; c < cells; ++c) {
            double sum = 0;
            for (std::int64_t j = 0; j < tokens; ++j) sum += maps[first + static_cast<std::size_t>(j * cells + c)];
            most = std::max(most, std::abs(sum - 1));
        }
    return most;
}

// What a sampler made of the built-in model, and where it looked.
struct Sampled {
    std::map<std::string, Value> loaded;
    tests::NodeRun run;

    Sampled(const QString& prompt, QJsonObject sampler, std::optional<QJsonObject> record) {
        loaded = tests::run_node("model.load", {{"file", HEDDLE_SOURCE_DIR "/resources/models/pico"}}).outputs;
        const auto encoded = [&](const QString& text) { return tests::run_node("text.encode", {{"text", text}}, {{"encoder", loaded.at("encoder")}}).outputs.at("conditioning"); };
        const Value model = record ? tests::run_node("attention.record", *record, {{"model", loaded.at("model")}}).outputs.at("model") : loaded.at("model");
        const Value size = tests::run_node("latent.empty", {{"width", 64}, {"height", 64}}, {{"model", model}}).outputs.at("latent");
        sampler["guidance"] = 4;
        run = tests::run_node("sample.run", sampler, {{"model", model}, {"positive", encoded(prompt)}, {"negative", encoded("")}, {"latent", size}});
    }
    std::vector<float> latent() const { return gpu::to_floats(run.get<Latent>("latent").tensor); }
    const Attention& attention() const { return run.get<Attention>("attention"); }
};

double correlation(std::span<const float> a, std::span<const float> b) {
    const double n = static_cast<double>(a.size());
    double ma = 0, mb = 0, ab = 0, aa = 0, bb = 0;
    for (std::size_t i = 0; i < a.size(); ++i) ma += a[i] / n, mb += b[i] / n;
    for (std::size_t i = 0; i < a.size(); ++i) ab += (a[i] - ma) * (b[i] - mb), aa += (a[i] - ma) * (a[i] - ma), bb += (b[i] - mb) * (b[i] - mb);
    return ab / std::sqrt(aa * bb);
}

}  // namespace

class AttentionMapsTest : public QObject {
    Q_OBJECT

private slots:
    void maps_are_the_mean_of_all_heads_and_layers_data() {
        QTest::addColumn<bool>("host");
        QTest::newRow("host") << true;
        QTest::newRow("shaders") << false;
    }
    void maps_are_the_mean_of_all_heads_and_layers() {
        QFETCH(bool, host);
        const gpu::ScopedSwitch kernels(&gpu::Switches::host, host);
        const Model model = small_model();
        const Tensor x = draw_tensor({2, 4, 6, 10}, 1);
        const StepInfo at{.level = NoiseTable().level(300)};
        ConditioningEntry entry;
        entry.context = draw_tensor({1, 5, 12}, 2);
        const Tensor maps = attention_maps(model, entry, x, at);
        QCOMPARE(maps.shape(), (gpu::Shape{2, 5, 6, 10}));
        const std::vector<float> made = gpu::to_floats(maps);
        const double far = farthest_from_one(made, 5, 60);
        QVERIFY2(far < 1e-5, qPrintable(QString::number(far)));

        const auto spy = std::make_shared<const Spy>();
        const DenoiserInput call{.latent = x, .timestep = gpu::full({2}, 300), .context = gpu::broadcast_to(entry.context, {2, 5, 12}), .at = at};
        (void)gpu::to_floats((*model.with(PatchRef(spy)).denoiser())(call));
        QCOMPARE(spy->layers.size(), 8u);      // 1 + 2 on the way down, 1 in the middle, 2 + 0 and 1 + 1 on the way up
        const double error = relative_error(made, by_hand(spy->layers, 2, 5, 6, 10));
        QVERIFY2(error < 1e-5, qPrintable(QString::number(error)));
    }

    void areas_and_ranges_of_the_entry_do_not_matter() {
        const Model model = small_model();
        const Tensor x = draw_tensor({1, 4, 6, 10}, 1);
        const StepInfo at{.progress = 0.2, .level = NoiseTable().level(800)};
        ConditioningEntry entry;
        entry.context = draw_tensor({1, 5, 12}, 2);
        const std::vector<float> whole = gpu::to_floats(attention_maps(model, entry, x, at));
        entry.area = Area{0.5, 0, 0.5, 1};
        entry.start = 0.5;
        entry.strength = 0;
        QCOMPARE(gpu::to_floats(attention_maps(model, entry, x, at)), whole);
        entry.context = draw_tensor({1, 5, 13}, 2);
        QVERIFY_THROWS_EXCEPTION(gpu::Error, attention_maps(model, entry, x, at));
    }

    // Of the positive half alone, over all calls of a sampler: against sums of what a spy saw.
    void a_record_is_the_mean_of_what_sampling_saw_data() { maps_are_the_mean_of_all_heads_and_layers_data(); }
    void a_record_is_the_mean_of_what_sampling_saw() {
        QFETCH(bool, host);
        const gpu::ScopedSwitch kernels(&gpu::Switches::host, host);
        const auto spy = std::make_shared<const Spy>();
        const auto record = std::make_shared<const AttentionRecord>(AttentionRecord::Settings{});
        const Model model = small_model().with(PatchRef(spy)).with(PatchRef(record));
        Conditioning positive, negative;
        positive.entries.resize(1), negative.entries.resize(1);
        positive.entries[0].context = draw_tensor({1, 5, 12}, 2);
        negative.entries[0].context = draw_tensor({1, 10, 12}, 3);      // twice as long: the positive one is repeated in their call
        const Sampling sampling = make_sampling(model.info(), {.sampler = "euler", .steps = 3});
        SamplingState state = begin_sampling(sampling, model.info(), make_latent(draw_tensor({2, 4, 6, 10}, 1), model.info().latent), {});
        std::vector<double> sum(2 * 5 * 60);
        for (int call = 0; call < sampling.steps(); ++call) {
            spy->layers.clear();
            const Predictions made = predict_step(model, sampling, state, positive, &negative, 4);
            state = take_step(sampling, made.state, combine(model.patches(), sampling, made, 4));
            gpu::evaluate(tensors_of(state));
            QCOMPARE(spy->layers.size(), 8u);
            QCOMPARE(spy->layers[0].q.size(0), 4);
            const std::vector<float> both = by_hand(spy->layers, 2, 10, 6, 10);      // rows 0 and 1 are the positive ones
            for (std::size_t n = 0; n < 2; ++n)
                for (std::size_t i = 0; i < 300; ++i) sum[n * 300 + i] += (both[n * 600 + i] + both[n * 600 + 300 + i]) / 3.0;
        }
        const Attention got = attention_of(state);
        QCOMPARE(got.calls, 3);
        QCOMPARE(got.maps.shape(), (gpu::Shape{2, 5, 6, 10}));
        const std::vector<float> maps = gpu::to_floats(got.maps);
        QVERIFY(farthest_from_one(maps, 5, 60) < 1e-5);
        const double error = relative_error(maps, std::vector<float>(sum.begin(), sum.end()));
        QVERIFY2(error < 1e-5, qPrintable(QString::number(error)));
    }

    void a_record_changes_no_bit_and_keeps_to_its_part() {
        const QJsonObject sampler{{"sampler", "ddim"}, {"steps", 3}};
        const Sampled plain("red heart", sampler, {}), whole("red heart", sampler, QJsonObject{}), late("red heart", sampler, QJsonObject{{"start", 0.5}}),
            coarse("red heart", sampler, QJsonObject{{"finest", 2}}), none("red heart", sampler, QJsonObject{{"finest", 64}});
        QVERIFY(!plain.attention().maps);
        QCOMPARE(QString::fromStdString(plain.run.outputs.at("attention").summary()), QStringLiteral("nothing recorded"));
        for (const Sampled* other : {&whole, &late, &coarse}) QVERIFY(other->latent() == plain.latent());
        QCOMPARE(whole.attention().calls, 3);
        QVERIFY(late.attention().calls > 0 && late.attention().calls < 3);
        QVERIFY(!none.attention().maps);
        QVERIFY(gpu::to_floats(whole.attention().maps) != gpu::to_floats(late.attention().maps));
        QVERIFY(gpu::to_floats(whole.attention().maps) != gpu::to_floats(coarse.attention().maps));
        // It comes back from the disk as it was.
        const auto stored = whole.run.outputs.at("attention").stored();
        QVERIFY(stored);
        QVERIFY(socket_type<Attention>().restore(*stored).hash() == whole.run.outputs.at("attention").hash());

        const std::map<std::string, Value> inputs{{"encoder", plain.loaded.at("encoder")}, {"attention", plain.run.outputs.at("attention")}};
        QVERIFY(tests::failure_of("attention.maps", {{"text", "red heart"}}, inputs) == gpu::ErrorCode::InvalidGraph);      // no record
        QVERIFY(tests::failure_of("attention.maps", {{"text", "red heart"}}, {{"encoder", plain.loaded.at("encoder")}}) == gpu::ErrorCode::InvalidGraph);      // nor a latent
    }

    // The word of a thing lies on the thing, in the maps of sampling and in those of the finished latent, which agree.
    void words_lie_on_what_they_name() {
        const Sampled sampled("red heart", {{"sampler", "ddim"}, {"steps", 10}}, QJsonObject{});
        const Value& latent = sampled.run.outputs.at("latent");
        const Image picture = tests::run_node("vae.decode", {}, {{"latent", latent}, {"vae", sampled.loaded.at("vae")}}).get<Image>("image");
        const std::map<std::string, Value> known{{"encoder", sampled.loaded.at("encoder")}};
        auto recorded = known, finished = known;
        recorded["attention"] = sampled.run.outputs.at("attention");
        finished["model"] = sampled.loaded.at("model");
        finished["latent"] = latent;
        const tests::NodeRun during = tests::run_node("attention.maps", {{"text", "red heart"}}, recorded), after = tests::run_node("attention.maps", {{"text", "red heart"}}, finished);
        QCOMPARE(during.get<std::string>("words"), std::string("red\nheart"));
        QCOMPARE(during.get<Mask>("maps").tensor.shape(), after.get<Mask>("maps").tensor.shape());

        const std::vector<float> colours = gpu::to_floats(picture.tensor), maps = gpu::to_floats(during.get<Mask>("maps").tensor), later = gpu::to_floats(after.get<Mask>("maps").tensor);
        const std::vector<float> tokens = gpu::to_floats(gpu::resize(gpu::reshape(during.get<Tensor>("weights"), {sampled.attention().maps.size(1), 1, 8, 8}), 64, 64, gpu::Filter::Bilinear, false));
        std::vector<bool> thing;
        for (std::size_t i = 0; i < 4096; ++i) thing.push_back(std::min({colours[i], colours[4096 + i], colours[8192 + i]}) < 0.8f);
        const double area = static_cast<double>(std::ranges::count(thing, true)) / 4096;
        // How strong a map is on the thing, of how strong beside it: 1 where it does not care.
        const auto contrast = [&](const std::vector<float>& all, std::size_t map) {
            double inside = 0, sum = 0;
            for (std::size_t i = 0; i < 4096; ++i) sum += all[map * 4096 + i], inside += thing[i] ? all[map * 4096 + i] : 0;
            return inside / area / ((sum - inside) / (1 - area));
        };
        const auto map_of = [](const std::vector<float>& all, std::size_t map) { return std::span(all).subspan(map * 4096, 4096); };
        const double heart = contrast(maps, 1), red = contrast(maps, 0), start = contrast(tokens, 0), finished_heart = contrast(later, 1);
        const double agree = correlation(map_of(maps, 1), map_of(later, 1)), agree_red = correlation(map_of(maps, 0), map_of(later, 0));
        qInfo("on the heart by beside it: \"heart\" %.3f, \"red\" %.3f, the start %.3f; \"heart\" of the finished latent %.3f; correlation of both %.3f, of \"red\" %.3f; the heart covers %.3f",
              heart, red, start, finished_heart, agree, agree_red, area);
        QVERIFY(area > 0.1 && area < 0.6);
        QVERIFY(heart > 1.3 && heart > red * 1.1 && start < 1.05);
        QVERIFY(agree > 0.95 && agree_red > 0.9);
    }

    // Nobody reads it: nothing is recorded, and every key is as if the node were not there.
    void unread_records_do_not_run() {
        const Document read = Document::load(HEDDLE_SOURCE_DIR "/resources/graphs/pico/attention-sampling.heddle");
        QVERIFY(lowered(read).contains("record"));
        const Document wired = read.disconnect({"sample", "attention"}, {"maps", "attention"}).add_node("flow.reroute", "wire").connect({"sample", "attention"}, {"wire", "value"});
        QVERIFY(!lowered(wired).contains("record"));
        QVERIFY(lowered(wired.connect({"wire", "value"}, {"maps", "attention"})).contains("record"));
        const Document unread = lowered(read.disconnect({"sample", "attention"}, {"maps", "attention"}));
        QVERIFY(!unread.contains("record"));
        QVERIFY(unread.link_into({"sample", "model"})->from == (Endpoint{"model", "model"}));
        // As a target it stands for what it would act on.
        QCOMPARE(lowered_targets(wired, lowered(wired), {"record"}), std::vector<std::string>{"model"});
    }

    void the_node_gives_a_map_for_each_word() {
        const tests::NodeRun loaded = tests::run_node("model.load", {{"file", HEDDLE_SOURCE_DIR "/resources/models/pico"}});
        const Model& model = loaded.get<Model>("model");
        Latent latent = make_latent(draw_tensor({2, model.info().latent.channels, 8, 8}, 3), model.info().latent);
        const std::map<std::string, Value> inputs{{"model", loaded.outputs.at("model")}, {"encoder", loaded.outputs.at("encoder")}, {"latent", Value::of<Latent>(latent)}};
        const tests::NodeRun run = tests::run_node("attention.maps", {{"text", "red (heart:1.3)"}, {"levels", 2}}, inputs);
        QCOMPARE(run.get<std::string>("words"), std::string("red\nheart"));
        const std::int64_t side = 8 * latent.format.factor;
        const Mask& maps = run.get<Mask>("maps");
        QCOMPARE(maps.tensor.shape(), (gpu::Shape{2, 1, side, side}));
        QCOMPARE(run.get<Image>("image").tensor.shape(), (gpu::Shape{2, 3, side, side}));
        const Tensor& weights = run.get<Tensor>("weights");
        QCOMPARE(weights.size(1), 8);
        const std::vector<float> numbers = gpu::to_floats(weights), shown = gpu::to_floats(maps.tensor);
        QVERIFY(farthest_from_one(numbers, weights.size(0), 64) < 1e-5);
        QVERIFY(*std::ranges::max_element(shown) <= 1.0f && *std::ranges::max_element(shown) > 0.9f);      // of its own scale

        // Each token of a rare word by itself; what it is made of is the tokenizer's matter.
        const tests::NodeRun whole = tests::run_node("attention.maps", {{"text", "zzyzx"}, {"levels", 1}}, inputs);
        QCOMPARE(whole.get<Mask>("maps").batch(), 1);
        const tests::NodeRun pieces = tests::run_node("attention.maps", {{"text", "zzyzx"}, {"levels", 1}, {"pieces", true}}, inputs);
        QVERIFY(pieces.get<Mask>("maps").batch() > 1);
        QCOMPARE(QString::fromStdString(pieces.get<std::string>("words")).remove('\n'), QStringLiteral("zzyzx"));
        QVERIFY(tests::failure_of("attention.maps", {{"text", ""}}, inputs));

        // Of a prompt in two parts the first is looked at, and that is said.
        const tests::NodeRun parts = tests::run_node("attention.maps", {{"text", "heart AND apple"}, {"dialect", "a1111"}, {"levels", 1}}, inputs);
        QCOMPARE(parts.get<std::string>("words"), std::string("heart"));
        QVERIFY(std::ranges::any_of(parts.warnings, [](const std::string& warning) { return warning.find("the first one is looked at") != std::string::npos; }));
    }
};

HEDDLE_TEST(attention, AttentionMapsTest)
#include "attention.moc"
