// Attention maps: against the same sums in plain loops over the queries and keys of a small UNet, and of the built-in model.
#include "nodes/models/diffusion/attention_maps.h"

#include <algorithm>
#include <cmath>

#include "gpu/base/switches.h"
#include "gpu/run/evaluate.h"
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
