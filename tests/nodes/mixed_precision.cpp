// Training with activations of 16 bits follows training with 32, in less memory.
#include <cmath>

#include "gpu/graph/autocast.h"
#include "gpu/graph/autodiff.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/training/autoencoder.h"
#include "nodes/training/diffusion.h"
#include "nodes/training/loop.h"
#include "nodes/types/number.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::run_node;

namespace {

constexpr gpu::Dtype wide = gpu::Dtype::F32, narrow[] = {gpu::Dtype::BF16, gpu::Dtype::F16};

Dataset pictures(int count) {
    std::vector<std::string> captions;
    std::vector<std::shared_ptr<const Pixels>> all;
    Dataset made;
    for (int n = 0; n < count; ++n) {
        auto picture = std::make_shared<Pixels>(Pixels{16, 16, std::vector<std::uint8_t>(16 * 16 * 4, 255)});
        for (int i = 0; i < 16 * 16; ++i)
            for (int c = 0; c < 3; ++c) picture->rgba[static_cast<std::size_t>(4 * i + c)] = static_cast<std::uint8_t>(128 + 100 * std::sin(0.2 * (i % 16) * (n + 1) + 0.3 * (i / 16) + c));
        all.push_back(picture);
        captions.push_back(gpu::format("{}", n));
        made.items.push_back(n);
    }
    made.source = memory_source(captions, all);
    made.framing = {.width = 16, .height = 16, .fill = 1};
    return made;
}

ObjectiveRef autoencoder(double adversarial = 0) {
    VaeConfig config = vae_config({8, 16}, 4, 1);
    config.quant_conv = config.post_quant_conv = true;
    return autoencoder_objective({.dataset = pictures(8), .validation = {}, .config = config, .loss = {.adversarial = adversarial, .discriminator = {.width = 4, .layers = 2}}, .start = {}, .judge = {}});
}

ObjectiveRef diffusion(bool recompute = false) {
    Examples e{.format = {.family = "pico", .channels = 4}, .height = 8, .width = 8, .tokens = 4, .context_width = 16};
    std::vector<float> latents, contexts;
    for (int n = 0; n <= 4; ++n) {
        if (n < 4) e.captions.push_back(gpu::format("{}", n));
        for (int i = 0; i < 64; ++i) contexts.push_back(static_cast<float>(std::sin(i * (n + 1) * 0.1)));
        for (int i = 0; i < 256 && n < 4; ++i) latents.push_back(static_cast<float>(std::sin(i * 0.05 * (n + 1))));
    }
    e.latents = std::make_shared<const std::vector<float>>(latents), e.contexts = std::make_shared<const std::vector<float>>(contexts);
    const UnetConfig config = small_unet_config({32, 64}, {true, true}, 1, 4, 16);
    return diffusion_objective({.examples = e, .moves = whole_network(config, training_info(config, e, PredictionType::V, {}), {}, 0), .loss = {}, .prior = {}, .word = {}, .vae = {}, .recompute = recompute});
}

// Losses of some steps, and the memory that a step's values take.
struct Curve {
    std::vector<double> losses;
    std::uint64_t arena = 0;
};

Curve curve_of(const ObjectiveRef& objective, gpu::Dtype activations, std::int64_t steps, int batch = 4) {
    TrainPlan plan;
    plan.options.schedule.rate = 1e-3, plan.options.max_norm = 1;
    plan.options.activations = activations;
    if (activations == gpu::Dtype::F16) plan.options.loss_scale = gpu::train::LossScaleOptions{.start = 1024};
    gpu::train::Trainer trainer(objective->parameters(), plan.options);
    Curve curve;
    for (std::int64_t step = 0; step < steps; ++step) {
        std::vector<Visit> visits;
        for (int i = 0; i < batch; ++i) visits.push_back(visit_at(0, static_cast<std::uint64_t>(step * batch + i), objective->size()));
        const auto result = trainer.step([&](const NamedTensors& p, const gpu::Tensors& b) { return objective->loss(p, b); }, {objective->batch(visits, 0)});
        curve.losses.push_back(result.loss);
        curve.arena = gpu::evaluation_counters().arena_bytes;
    }
    return curve;
}

double mean_of(const std::vector<double>& values, std::size_t last) {
    double sum = 0;
    for (std::size_t i = values.size() - last; i < values.size(); ++i) sum += values[i] / static_cast<double>(last);
    return sum;
}

// Each loss within 2 % of that in F32, and the last ones within 1 %.
void follow(const ObjectiveRef& objective, std::int64_t steps) {
    const Curve expected = curve_of(objective, wide, steps);
    const double start = expected.losses[0], end = mean_of(expected.losses, 3);
    QVERIFY2(end < start, qPrintable(QString("%1 -> %2").arg(start).arg(end)));
    for (const gpu::Dtype dtype : narrow) {
        const Curve found = curve_of(objective, dtype, steps);
        double most = 0;
        for (std::size_t i = 0; i < found.losses.size(); ++i) most = std::max(most, std::abs(found.losses[i] / expected.losses[i] - 1));
        const QString said = QString("%1: off by %2 at most, end %3 for %4").arg(static_cast<int>(dtype)).arg(most).arg(mean_of(found.losses, 3)).arg(end);
        qInfo("%s", qPrintable(said));
        QVERIFY2(most > 0 && most < 0.02 && std::abs(mean_of(found.losses, 3) / end - 1) < 0.01, qPrintable(said));
    }
}

}  // namespace

class MixedPrecisionTest : public QObject {
    Q_OBJECT

private slots:
    void products_are_narrow_and_sums_wide() {
        const gpu::Tensor x = gpu::ones({2, 3, 4, 4}), w = gpu::ones({5, 3, 3, 3});
        {
            const gpu::Autocast autocast(gpu::Dtype::BF16);
            const gpu::Tensor y = gpu::conv2d(x, w, {.pad = 1});
            QVERIFY(y.dtype() == gpu::Dtype::BF16 && gpu::mean(y).dtype() == wide && (y * 2.0).dtype() == gpu::Dtype::BF16);
            QVERIFY(gpu::matmul(gpu::ones({2, 3}), gpu::ones({3, 2})).dtype() == gpu::Dtype::BF16 && gpu::group_norm(y, 5, {}, {}).dtype() == gpu::Dtype::BF16);
            const gpu::Tensor scale = gpu::ones({4});
            QVERIFY(gpu::layer_norm(y, scale, scale).dtype() == gpu::Dtype::BF16 && gpu::rms_norm(y, scale).dtype() == gpu::Dtype::BF16);
            const gpu::Autocast none(wide);
            QVERIFY(gpu::conv2d(x, w).dtype() == wide);
        }
        QVERIFY(gpu::conv2d(x, w).dtype() == wide);
    }

    void an_autoencoder_follows() { follow(autoencoder(), 12); }
    void a_diffusion_network_follows() { follow(diffusion(), 10); }
    void a_discriminator_follows() {
        const Curve expected = curve_of(autoencoder(0.5), wide, 8), found = curve_of(autoencoder(0.5), gpu::Dtype::BF16, 8);
        for (std::size_t i = 0; i < 8; ++i)
            QVERIFY2(std::abs(found.losses[i] / expected.losses[i] - 1) < 0.05, qPrintable(QString("%1 %2").arg(found.losses[i]).arg(expected.losses[i])));
    }
    void blocks_that_are_computed_again_follow() {
        const Curve plain = curve_of(diffusion(), gpu::Dtype::BF16, 3), again = curve_of(diffusion(true), gpu::Dtype::BF16, 3);
        for (std::size_t i = 0; i < 3; ++i) QVERIFY(std::abs(again.losses[i] / plain.losses[i] - 1) < 0.01);
    }

    void it_takes_less_memory() {
        const Curve expected = curve_of(diffusion(), wide, 1, 64), found = curve_of(diffusion(), gpu::Dtype::BF16, 1, 64);
        const QString said = QString("%1 KiB in F32, %2 in BF16").arg(expected.arena >> 10).arg(found.arena >> 10);
        qInfo("%s", qPrintable(said));
        QVERIFY2(static_cast<double>(found.arena) < 0.65 * static_cast<double>(expected.arena), qPrintable(said));
    }

    void the_node_takes_it() {
        for (const char* kind : {"bf16", "f16"}) {
            const auto run = run_node("train.run", {{"steps", 2}, {"batch", 2}, {"activations", kind}}, {{"objective", Value::of<ObjectiveRef>(autoencoder())}});
            QVERIFY(std::isfinite(run.get<double>("loss")));
        }
    }
};

HEDDLE_TEST(mixed_precision, MixedPrecisionTest)
#include "mixed_precision.moc"
