// Losses as graphs: their numbers, the weights of maps and items, and trainers that take them.
#include <cmath>

#include "gpu/graph/autodiff.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/training/autoencoder.h"
#include "nodes/training/diffusion.h"
#include "nodes/training/loss.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::failure_of;
using tests::run_node;

namespace {

std::vector<float> waves(std::size_t count, double phase) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(std::sin(static_cast<double>(i) * 0.7 + phase));
    return values;
}

LossRef difference(const char* kind, double turn = 0.1) { return run_node("loss.difference", {{"kind", kind}, {"turn", turn}}).get<LossRef>("loss"); }

NamedTensors start_of(const ObjectiveRef& objective) {
    NamedTensors start;
    for (const Parameter& parameter : objective->parameters()) start.emplace(parameter.name, parameter.value);
    return start;
}

bool near(double a, double b) { return std::abs(a - b) <= 2e-6 * std::abs(b); }

}  // namespace

class LossTest : public QObject {
    Q_OBJECT

private slots:
    // Against sums in F64.
    void terms_have_their_numbers() {
        const std::vector<float> a = waves(2 * 3 * 4 * 4, 0), b = waves(2 * 3 * 4 * 4, 1.3), weights = waves(2 * 4 * 4, 2), map = waves(16, 3);
        const LossSides sides{gpu::tensor(a, {2, 3, 4, 4}), gpu::tensor(b, {2, 3, 4, 4}), gpu::tensor(weights, {2, 1, 4, 4})};
        const auto expected = [&](auto f, std::size_t n) {
            double sum = 0;
            for (std::size_t c = 0; c < 3; ++c)
                for (std::size_t i = 0; i < 16; ++i) {
                    const std::size_t at = n * 48 + c * 16 + i;
                    sum += f(static_cast<double>(a[at]) - b[at]) * weights[n * 16 + i] / 48;
                }
            return sum;
        };
        const auto check = [&](const LossRef& loss, auto f) {
            const std::vector<float> found = gpu::to_floats((*loss)(sides));
            return found.size() == 2 && std::abs(found[0] - expected(f, 0)) < 1e-6 && std::abs(found[1] - expected(f, 1)) < 1e-6;
        };
        QVERIFY(check(difference("square"), [](double d) { return d * d; }));
        QVERIFY(check(difference("absolute"), [](double d) { return std::abs(d); }));
        QVERIFY(check(difference("huber", 0.3), [](double d) { return 0.6 * (std::sqrt(d * d + 0.09) - 0.3); }));
        QVERIFY(check(difference("log_cosh"), [](double d) { return std::log(std::cosh(d)); }));
        const auto sum = run_node("loss.sum", {{"weight_a", 0.5}, {"weight_c", 2}}, {{"a", Value::of<LossRef>(difference("square"))}, {"c", Value::of<LossRef>(difference("absolute"))}});
        QVERIFY(check(sum.get<LossRef>("loss"), [](double d) { return 0.5 * d * d + 2 * std::abs(d); }));

        // A map on top of the items' weights.
        const auto mapped = run_node("loss.weighted", {}, {{"of", Value::of<LossRef>(difference("square"))}, {"map", Value::of<Mask>(make_mask(gpu::tensor(map, {1, 1, 4, 4})))}});
        const std::vector<float> found = gpu::to_floats((*mapped.get<LossRef>("loss"))(sides));
        double first = 0;
        for (std::size_t at = 0; at < 48; ++at) first += std::pow(static_cast<double>(a[at]) - b[at], 2) * weights[at % 16] * map[at % 16] / 48;
        QVERIFY2(std::abs(found[0] - first) < 1e-6, qPrintable(QString("%1 %2").arg(found[0]).arg(first)));

        // Averages of 2 x 2.
        const auto coarse = run_node("loss.coarse", {{"factor", 2}}, {{"of", Value::of<LossRef>(difference("absolute"))}}).get<LossRef>("loss");
        double pooled = 0;
        for (std::size_t c = 0; c < 3; ++c)
            for (std::size_t y = 0; y < 2; ++y)
                for (std::size_t x = 0; x < 2; ++x) {
                    double off = 0;
                    for (const std::size_t i : {0, 1, 4, 5}) off += (static_cast<double>(a[c * 16 + 8 * y + 2 * x + i]) - b[c * 16 + 8 * y + 2 * x + i]) / 4;
                    pooled += std::abs(off) / 12;
                }
        QVERIFY(std::abs(gpu::to_floats((*coarse)({sides.made, sides.wanted, {}}))[0] - pooled) < 1e-6);
        QVERIFY_EXCEPTION_THROWN((*coarse)({gpu::zeros({1, 3, 3, 4}), gpu::zeros({1, 3, 3, 4}), {}}), gpu::Error);
    }

    // The same loss in the graph and in the trainer: one number and one gradient.
    void an_autoencoder_takes_a_loss() {
        auto picture = std::make_shared<Pixels>(Pixels{16, 16, std::vector<std::uint8_t>(16 * 16 * 4, 255)});
        for (std::size_t i = 0; i < picture->rgba.size(); ++i) picture->rgba[i] = static_cast<std::uint8_t>(i % 4 == 3 ? 255 : i * 37 % 251);
        VaeConfig config = vae_config({8, 16}, 4, 1);
        config.quant_conv = config.post_quant_conv = true;
        AutoencoderTraining t{.dataset = {.source = memory_source({"a"}, {picture}), .items = {0}, .framing = {.width = 16, .height = 16}}, .validation = {}, .config = config,
                              .loss = {.absolute = 0.7, .square = 1.5, .kl = 1e-3}, .start = {}, .judge = {}};
        const ObjectiveRef own = autoencoder_objective(t);
        t.loss.absolute = t.loss.square = 0;
        t.loss.criterion = run_node("loss.sum", {{"weight_a", 0.7}, {"weight_b", 1.5}}, {{"a", Value::of<LossRef>(difference("absolute"))}, {"b", Value::of<LossRef>(difference("square"))}}).get<LossRef>("loss");
        const ObjectiveRef given = autoencoder_objective(t);
        const NamedTensors start = start_of(own);
        const std::vector<Visit> visits{{0, 0}, {0, 1}};
        const gpu::Tensors batch = own->batch(visits, 1);
        const gpu::Tensor a = own->loss(start, batch), b = given->loss(start, batch), w = start.at("encoder.conv_in.weight");
        const gpu::Tensor da = gpu::gradients(a, {w})[0], db = gpu::gradients(b, {w})[0];
        gpu::evaluate({a, b, da, db});
        QVERIFY2(near(gpu::to_number(b), gpu::to_number(a)), qPrintable(QString("%1 %2").arg(gpu::to_number(a)).arg(gpu::to_number(b))));
        QVERIFY(gpu::to_number(gpu::sum(gpu::square(da - db))) < 1e-8 * gpu::to_number(gpu::sum(gpu::square(da))));
        const auto run = run_node("train.autoencoder", {{"widths", "8,16"}}, {{"dataset", Value::of<Dataset>(t.dataset)}, {"loss", Value::of<LossRef>(t.loss.criterion)}});
        QVERIFY(run.get<ObjectiveRef>("objective"));
    }

    void a_diffusion_network_takes_a_loss() {
        Examples e{.format = {.family = "pico", .channels = 4}, .height = 4, .width = 4, .tokens = 1, .context_width = 8};
        e.captions = {"a", "b"};
        e.latents = std::make_shared<const std::vector<float>>(waves(2 * 64, 0)), e.contexts = std::make_shared<const std::vector<float>>(waves(3 * 8, 1));
        std::vector<float> mask(32, 0.25f);
        mask[3] = 1;
        e.masks = std::make_shared<const std::vector<float>>(mask);
        const UnetConfig config = small_unet_config({32}, {true}, 1, 4, 8);
        DiffusionTraining t{.examples = e, .moves = whole_network(config, training_info(config, e, PredictionType::V, {}), {}, 0), .loss = {.min_snr = 5, .huber = 0.2}, .prior = e};
        const ObjectiveRef own = diffusion_objective(t);
        t.loss.huber = 0, t.loss.criterion = difference("huber", 0.2);
        const ObjectiveRef given = diffusion_objective(t);
        const NamedTensors start = start_of(own);
        const std::vector<Visit> visits{{0, 0}, {1, 1}};
        const gpu::Tensors batch = own->batch(visits, 1);
        const double a = gpu::to_number(own->loss(start, batch)), b = gpu::to_number(given->loss(start, batch));
        QVERIFY2(near(b, a) && a > 0, qPrintable(QString("%1 %2").arg(a).arg(b)));
    }

    // A loss of pictures is none of latents.
    void what_does_not_fit_is_named() {
        class Pictures final : public LossTerm {
        public:
            Tensor operator()(const LossSides& s) const override { return gpu::mean(s.made, {1, 2, 3}, false); }
            int channels() const override { return 3; }
            std::string summary() const override { return "pictures"; }
        };
        Examples e{.format = {.family = "pico", .channels = 4}, .height = 4, .width = 4, .tokens = 1, .context_width = 8};
        e.captions = {"a"};
        e.latents = std::make_shared<const std::vector<float>>(64), e.contexts = std::make_shared<const std::vector<float>>(16);
        const UnetConfig config = small_unet_config({32}, {true}, 1, 4, 8);
        const MovementRef network = whole_network(config, training_info(config, e, PredictionType::V, {}), {}, 0);
        const LossRef sum = sum_loss({{1.0, coarse_loss(std::make_shared<Pictures>(), 2)}, {1.0, difference("square")}});
        QCOMPARE(sum->channels(), 3);
        QCOMPARE(sum->summary(), std::string("1 pictures of 2 x 2 cells + 1 square"));
        QVERIFY_EXCEPTION_THROWN(diffusion_objective({.examples = e, .moves = network, .loss = {.criterion = sum}}), gpu::Error);
        QVERIFY(failure_of("loss.weighted", {}, {{"of", Value::of<LossRef>(sum)}, {"map", Value::of<Mask>(make_mask(gpu::zeros({2, 1, 4, 4})))}}) == gpu::ErrorCode::InvalidGraph);
    }
};

HEDDLE_TEST(loss, LossTest)
#include "loss.moc"
