// The patch discriminator against numbers of PyTorch's layers, and an autoencoder trained against it.
#include <QFile>
#include <QTemporaryDir>
#include <array>
#include <cmath>

#include "gpu/graph/autodiff.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/training/autoencoder.h"
#include "nodes/training/discriminator.h"
#include "nodes/training/loop.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::failure_of;

namespace {

constexpr DiscriminatorConfig small{.width = 4, .layers = 2};

NamedTensors waves() {
    NamedTensors all;
    for (const Parameter& parameter : drawn_parameters(0, [](const Scope& s) { PatchDiscriminator(s / "discriminator", small); })) all.emplace(parameter.name, parameter.value);
    int number = 0;
    for (auto& [name, value] : all) {      // by name
        std::vector<float> values(static_cast<std::size_t>(value.element_count()));
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(std::sin(static_cast<double>(i) * 0.37 + number) * 0.3);
        value = gpu::tensor(values, value.shape());
        ++number;
    }
    return all;
}

gpu::Tensor wave_picture(double phase) {
    std::vector<float> values(2 * 3 * 16 * 16);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(std::sin(static_cast<double>(i) * 0.013 * (1 + phase) + phase));
    return gpu::tensor(values, {2, 3, 16, 16});
}

// Stripes of one pixel in a few directions: what an autoencoder that is too small blurs.
Dataset stripes(int count) {
    std::vector<std::string> captions;
    std::vector<std::shared_ptr<const Pixels>> pictures;
    Dataset made;
    for (int n = 0; n < count; ++n) {
        auto picture = std::make_shared<Pixels>(Pixels{16, 16, std::vector<std::uint8_t>(16 * 16 * 4, 255)});
        for (int y = 0; y < 16; ++y)
            for (int x = 0; x < 16; ++x)
                for (int c = 0; c < 3; ++c)
                    picture->rgba[static_cast<std::size_t>(4 * (16 * y + x) + c)] = static_cast<std::uint8_t>((n % 2 ? x + n / 2 : y + x * (n % 3) + n) % 4 < 2 ? 220 : 30 + 20 * c);
        captions.push_back(gpu::format("{}", n));
        pictures.push_back(picture);
        made.items.push_back(n);
    }
    made.source = memory_source(captions, pictures);
    made.framing = {.width = 16, .height = 16, .fill = 1};
    return made;
}

AutoencoderTraining training(double adversarial, std::uint64_t start = 0, bool adaptive = true) {
    VaeConfig config = vae_config({8, 16}, 4, 1);
    config.quant_conv = config.post_quant_conv = true;
    return {.dataset = stripes(12), .validation = {}, .config = config,
            .loss = {.absolute = 1, .kl = 0, .adversarial = adversarial, .adaptive = adaptive, .adversarial_start = start, .discriminator = small}, .start = {}, .judge = {}};
}

NamedTensors start_of(const ObjectiveRef& objective) {
    NamedTensors start;
    for (const Parameter& parameter : objective->parameters()) start.emplace(parameter.name, parameter.value);
    return start;
}

TrainPlan plan_of(std::int64_t steps) {
    TrainPlan plan;
    plan.options.schedule.rate = 3e-3;
    plan.options.ema.decay = 0.9;
    plan.steps = steps, plan.batch = 6, plan.seed = 2;
    return plan;
}

double norm_of(const gpu::Tensor& x) { return std::sqrt(gpu::to_number(gpu::sum(gpu::square(x)))); }

}  // namespace

class AdversarialTest : public QObject {
    Q_OBJECT

private slots:
    // Values of torch.nn's Conv2d, BatchNorm2d in training and LeakyReLU, in F64.
    void the_discriminator_is_torchs() {
        const NamedTensors weights = waves();
        QCOMPARE(weights.size(), std::size_t(10));
        QVERIFY((weights.at("discriminator.main.5.weight").shape() == gpu::Shape{16, 8, 4, 4}));
        const PatchDiscriminator network(Scope::tensors(weights) / "discriminator", small);
        const gpu::Tensor real = network(wave_picture(0)), made = network(wave_picture(0.5));
        QVERIFY((real.shape() == gpu::Shape{2, 1, 2, 2}));
        const gpu::Tensor hinge = hinge_loss(real, made);
        gpu::Tensors wrt, wanted;
        for (const char* name : {"main.0.weight", "main.3.weight", "main.3.bias", "main.5.weight", "main.8.bias"}) wrt.push_back(weights.at(std::string("discriminator.") + name));
        const gpu::Tensors found = gpu::gradients(gpu::reshape(hinge, {1}), wrt);
        const double norms[] = {1.7666308672649698, 1.290000556794333, 0.5712483873559328, 0.713829388089279, 0.1875};
        for (std::size_t i = 0; i < found.size(); ++i) QVERIFY2(std::abs(norm_of(found[i]) - norms[i]) < 2e-4 * norms[i], qPrintable(QString::number(norm_of(found[i]))));
        const std::vector<float> values = gpu::to_floats(real);
        const double expected[] = {-0.888614, -0.854551, 0.062204, 0.500796, -0.969256, -0.739738, 0.578145, 1.028091};
        for (std::size_t i = 0; i < 8; ++i) QVERIFY2(std::abs(values[i] - expected[i]) < 1e-4, qPrintable(QString::number(values[i])));
        QVERIFY(std::abs(gpu::to_number(hinge) - 0.9968121889739817) < 1e-5);
        QVERIFY(std::abs(gpu::to_number(generator_loss(made)) - 0.3813605356789772) < 1e-5);
    }

    // Each network's gradient is of its own loss: one sum, and nothing passes from one to the other.
    void each_side_has_its_own_gradient() {
        const ObjectiveRef plain = autoencoder_objective(training(0)), both = autoencoder_objective(training(0.5));
        const NamedTensors start = start_of(both);
        const std::vector<Visit> visits{{0, 0}, {3, 1}, {5, 2}};
        const gpu::Tensors batch = both->batch(visits, 1), bare{batch[0], batch[1]};
        const gpu::Tensor likeness = plain->loss(start, bare), whole = both->loss(start, batch);
        const PatchDiscriminator judge(Scope::tensors(start) / "discriminator", small);
        const VaeConfig config = training(0).config;
        const KlAutoencoder network(Scope::tensors(start), config, {.family = "pico", .channels = 4, .factor = 2});
        const gpu::Tensor pictures = batch[0] * 2.0 - 1.0;
        const KlAutoencoder::Moments m = network.moments(pictures);
        const gpu::Tensor made = network.decode_raw(m.mean + gpu::exp(0.5 * m.logvar) * batch[1]);
        const gpu::Tensor generator = gpu::reshape(generator_loss(judge(made)), {1}), hinge = gpu::reshape(hinge_loss(judge(pictures), judge(made)), {1});
        const gpu::Tensor last = start.at("decoder.conv_out.weight"), first = start.at("encoder.conv_in.weight"), own = start.at("discriminator.main.2.weight");
        const auto of = [](const gpu::Tensor& loss, const gpu::Tensor& w) { return gpu::gradients(loss, {w})[0]; };
        const gpu::Tensor a = of(likeness, last), b = of(generator, last), encoder_a = of(likeness, first), encoder_b = of(generator, first), encoder_all = of(whole, first);
        const gpu::Tensor judge_own = of(hinge, own), judge_all = of(whole, own);
        gpu::evaluate({a, b, encoder_a, encoder_b, encoder_all, judge_own, judge_all, likeness, whole, generator, hinge});
        const double ratio = norm_of(a) / (norm_of(b) + 1e-4), expected = gpu::to_number(likeness) + 0.5 * ratio * gpu::to_number(generator) + gpu::to_number(hinge);
        QVERIFY2(std::abs(gpu::to_number(whole) - expected) < 1e-4 * std::abs(expected), qPrintable(QString("%1 %2").arg(gpu::to_number(whole)).arg(expected)));
        QVERIFY(norm_of(judge_own) > 1e-6 && norm_of(encoder_b) > 1e-6);
        QVERIFY(norm_of(judge_all - judge_own) < 1e-4 * norm_of(judge_own));
        QVERIFY2(norm_of(encoder_all - (encoder_a + 0.5 * ratio * encoder_b)) < 1e-3 * norm_of(encoder_all), qPrintable(QString::number(norm_of(encoder_all))));
    }

    void it_starts_when_it_is_told() {
        const ObjectiveRef late = autoencoder_objective(training(0.5, 18)), plain = autoencoder_objective(training(0));
        const NamedTensors start = start_of(late);
        const std::vector<Visit> before{{0, 12}, {1, 13}}, after{{0, 18}, {1, 19}};
        QCOMPARE(gpu::to_number(late->loss(start, late->batch(before, 1))), gpu::to_number(plain->loss(start, plain->batch(before, 1))));
        QVERIFY(gpu::to_number(late->loss(start, late->batch(after, 1))) != gpu::to_number(plain->loss(start, plain->batch(after, 1))));
        // Three steps of six visits: to then the weights are those of training without one.
        const auto decoder = [](const ObjectiveRef& objective, std::int64_t steps) {
            TrainPlan plan = plan_of(steps);
            plan.options.ema.decay = 0, plan.options.schedule.warmup = 0;
            const Trained trained = train(*objective, plan, {}).trained;
            const auto kl = std::dynamic_pointer_cast<const KlAutoencoder>(trained.part<Vae>().model);
            return gpu::to_floats(gpu::to_leaf(kl->weights().at("decoder.conv_in.weight")));
        };
        QVERIFY(decoder(late, 3) == decoder(plain, 3));
        QVERIFY(decoder(late, 4) != decoder(plain, 4));
    }

    // The discriminator learns to tell results from pictures, and the autoencoder answers: with the same steps its results are taken for real more
    // than those of one that is trained by likeness alone, in the eyes of that one's discriminator.
    void both_learn() {
        const ObjectiveRef watched = autoencoder_objective(training(1e-9, 0, false)), fought = autoencoder_objective(training(1.0));
        const auto answers = [](const ObjectiveRef& objective) {
            const std::vector<TrainMetric> all = train(*objective, plan_of(70), {}).metrics;
            return std::array<double, 3>{all[0].value, all[1].value, all[2].value};
        };
        const auto [psnr, real, made] = answers(watched);
        const auto [other_psnr, other_real, other_made] = answers(fought);
        const QString said = QString("alone %1 dB: real %2, made %3; against: %4 dB, %5, %6").arg(psnr).arg(real).arg(made).arg(other_psnr).arg(other_real).arg(other_made);
        qInfo("%s", qPrintable(said));
        QVERIFY2(real > made + 0.2, qPrintable(said));
        QVERIFY2(other_real - other_made < 0.7 * (real - made), qPrintable(said));
    }

    void a_checkpoint_holds_both() {
        const QTemporaryDir folder;
        const auto objective = [] { return autoencoder_objective(training(0.5, 12)); };
        TrainPlan plan = plan_of(6);
        plan.checkpoint = folder.filePath("whole.safetensors").toStdString();
        train(*objective(), plan, {});
        const std::string whole = plan.checkpoint;
        plan.checkpoint = folder.filePath("parts.safetensors").toStdString();
        const gpu::CancelToken token;
        TrainEvents events;
        events.progress = [&](const TrainProgress& at) {
            if (at.step == 4) token.cancel();
        };
        QVERIFY_EXCEPTION_THROWN(train(*objective(), plan, token, events), gpu::Cancelled);
        train(*objective(), plan, {});
        const auto bytes = [](const std::string& path) {
            QFile file(QString::fromStdString(path));
            return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
        };
        QVERIFY(bytes(whole).contains("discriminator.main.2.weight"));
        QVERIFY(bytes(whole) == bytes(plan.checkpoint));
    }

    void what_does_not_fit_is_named() {
        AutoencoderTraining much = training(1);
        much.loss.discriminator.layers = 3;      // 24 pixels
        QVERIFY_EXCEPTION_THROWN(autoencoder_objective(much), gpu::Error);
        QVERIFY(failure_of("train.autoencoder", {{"widths", "8,16"}, {"adversarial", 1}}, {{"dataset", Value::of<Dataset>(stripes(4))}}) == gpu::ErrorCode::InvalidGraph);
    }
};

HEDDLE_TEST(adversarial, AdversarialTest)
#include "adversarial.moc"
