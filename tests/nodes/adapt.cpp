// Nodes that patch a UNet without a side network: FreeU against PyTorch (tests/golden/unet/make_unet.py), and what models read
// beside the latent.
#include "gpu/run/evaluate.h"
#include "nodes/core/registry.h"
#include "nodes/models/diffusion/loop.h"
#include "nodes/models/unet/unet.h"
#include "nodes/types/image.h"
#include "nodes/types/mask.h"
#include "nodes/types/vae.h"
#include "tests/support/compare.h"
#include "tests/support/named_weights.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::draw_tensor;
using tests::relative_error;

namespace {

Model model_of(const UnetConfig& config) {
    const Scope scope = Scope::shapes();
    const UnetNetwork network(scope, config);
    return Model(make_unet(tests::named_weights(scope), config, unet_info(config)));
}

UnetConfig wide_config() {
    UnetConfig config;
    config.levels = {{8, 2, {0}, {0, 0}}, {16, 4, {1}, {1, 1}}, {32, 4, {0}, {0, 0}}};
    config.middle_heads = 4;
    config.context_width = 12;
    config.groups = 8;
    config.time_width = 32;
    return config;
}

DenoiserInput input() {
    return {.latent = draw_tensor({2, 4, 12, 8}, 1), .timestep = gpu::tensor({3, 80.5}), .context = draw_tensor({2, 5, 12}, 2)};
}

std::vector<float> output(const Model& model, const DenoiserInput& given = input()) { return gpu::to_floats((*model.denoiser())(given)); }

// Means of 8 x 8 pixels, three colours and a fourth channel that is their sum; scaled and shifted as formats are.
struct MeanAutoencoder final : Autoencoder {
    LatentFormat own{.channels = 4, .factor = 8, .scale = 0.5, .shift = 0.25};
    const LatentFormat& format() const override { return own; }
    bool can_encode() const override { return true; }
    bool can_decode() const override { return false; }
    Tensor encode(const Tensor& x) const override {
        const Tensor cells = gpu::mean(gpu::reshape(x, {x.size(0), 3, x.size(2) / 8, 8, x.size(3) / 8, 8}), {3, 5}, false);
        return (gpu::concat({cells, gpu::sum(cells, {1})}, 1) - own.shift) * own.scale;
    }
    Tensor decode(const Tensor&) const override { return {}; }
    std::string summary() const override { return "means"; }
    std::size_t bytes() const override { return 0; }
};

Vae vae() { return {std::make_shared<const MeanAutoencoder>()}; }

}  // namespace

class AdaptTest : public QObject {
    Q_OBJECT
private slots:
    void freeu_agrees_with_pytorch_data() {
        QTest::addColumn<int>("version");
        QTest::newRow("1") << 1;
        QTest::newRow("2") << 2;
    }
    void freeu_agrees_with_pytorch() {
        QFETCH(int, version);
        const QJsonObject params{{"version", QString::number(version)}, {"b1", 1.5}, {"b2", 1.6}, {"s1", 0.9}, {"s2", 0.2}};
        const Model plain = model_of(wide_config());
        const Model patched = tests::run_node("adapt.freeu", params, {{"model", Value::of(plain)}}).get<Model>("model");
        const gpu::Checkpoint stored = gpu::open_checkpoint(HEDDLE_SOURCE_DIR "/tests/golden/unet/expected.safetensors");
        const std::vector<float> wanted = gpu::entry_floats(*stored.find(gpu::format("freeu_{}", version)));
        const double error = relative_error(output(patched), wanted);
        QVERIFY2(error < 1e-5, qPrintable(QString::number(error)));
        QVERIFY(relative_error(output(plain), wanted) > 1e-2);
        const Model neutral = tests::run_node("adapt.freeu", {{"b1", 1.0}, {"b2", 1.0}, {"s1", 1.0}, {"s2", 1.0}}, {{"model", Value::of(plain)}}).get<Model>("model");
        QVERIFY(relative_error(output(neutral), output(plain)) < 1e-6);
    }

    void deep_features_are_kept_between_steps() {
        const Model plain = model_of(wide_config());
        const auto patched = [&](int interval) { return tests::run_node("adapt.deepcache", {{"interval", interval}}, {{"model", Value::of(plain)}}).get<Model>("model"); };
        const auto call = [](int step) {
            DenoiserInput given = input();
            given.latent = given.latent + draw_tensor({2, 4, 12, 8}, 20 + step) * 0.1;
            given.timestep = gpu::tensor({float(90 - 10 * step), float(90 - 10 * step)});
            given.at.step = step, given.at.steps = 6, given.at.progress = 0.1 + 0.1 * step;
            return given;
        };
        const Model always = patched(1), thirds = patched(3);
        for (int step = 0; step < 2; ++step) QVERIFY(relative_error(output(always, call(step)), output(plain, call(step))) < 1e-5);
        const auto denoiser = thirds.denoiser(), whole = plain.denoiser();
        const double full = gpu::plan_cost({(*whole)(call(1))}).flop;
        for (int step = 0; step < 6; ++step) {
            const Tensor y = (*denoiser)(call(step));
            const double cost = gpu::plan_cost({y}).flop;
            const double error = relative_error(gpu::to_floats(y), gpu::to_floats((*whole)(call(step))));
            QVERIFY2(step % 3 == 0 ? error < 1e-5 : error > 1e-3 && error < 1, qPrintable(QString("step %1: %2").arg(step).arg(error)));
            QVERIFY(cost < 0.5 * full);      // at whole steps the deep part has been computed by then
        }
        // A new run starts with the whole network, and so does a picture of another size.
        QVERIFY(relative_error(gpu::to_floats((*denoiser)(call(0))), gpu::to_floats((*whole)(call(0)))) < 1e-5);
        DenoiserInput other = call(1);
        other.latent = draw_tensor({2, 4, 8, 8}, 3);
        QVERIFY(relative_error(gpu::to_floats((*denoiser)(other)), gpu::to_floats((*whole)(other))) < 1e-5);
        QCOMPARE(tests::failure_of("adapt.deepcache", {{"branch", 10}}, {{"model", Value::of(plain)}}), std::optional(gpu::ErrorCode::InvalidGraph));
    }

    void inpainting_models_see_mask_and_hole() {
        UnetConfig config = wide_config();
        config.in_channels = 9;
        const Model model = model_of(config);
        // 98 x 67 pixels: 12 x 8 cells, the rest is cut off.
        const Tensor picture = draw_tensor({1, 3, 98, 67}, 3) * 0.5 + 0.5;
        std::vector<float> white(98 * 67, 0);
        for (std::size_t at = 0; at < white.size(); ++at) white[at] = at / 67 >= 40 ? 0.5F : 0.4F;
        const std::map<std::string, Value> inputs{{"model", Value::of(model)}, {"vae", Value::of(vae())}, {"image", Value::of(make_image(picture))},
                                                  {"mask", Value::of(make_mask(gpu::tensor(white, {1, 1, 98, 67})))}};
        const tests::NodeRun made = tests::run_node("inpaint.model_condition", {}, inputs);
        const Tensor cut = gpu::slice(gpu::slice(picture, 2, 0, 96), 3, 0, 64);
        QVERIFY(relative_error(gpu::to_floats(made.get<Latent>("latent").tensor), gpu::to_floats(vae()->encode(cut))) < 1e-6);
        const Tensor hole = gpu::concat({gpu::zeros({1, 1, 40, 64}), gpu::ones({1, 1, 56, 64})}, 2);
        const Tensor cells = gpu::concat({gpu::zeros({1, 1, 5, 8}), gpu::ones({1, 1, 7, 8})}, 2);
        DenoiserInput whole = input();
        const Tensor beside = gpu::concat({cells, vae()->encode(cut * (1.0 - hole) + hole * 0.5)}, 1);      // [1, 5, 12, 8]
        whole.latent = gpu::concat({whole.latent, gpu::broadcast_to(beside, {2, 5, 12, 8})}, 1);
        QVERIFY(relative_error(output(made.get<Model>("model")), output(model, whole)) < 1e-6);
        auto wrong = inputs;
        wrong.insert_or_assign("model", Value::of(model_of(wide_config())));
        QCOMPARE(tests::failure_of("inpaint.model_condition", {}, wrong), std::optional(gpu::ErrorCode::InvalidGraph));
    }

    void instruction_models_see_the_picture_unscaled() {
        UnetConfig config = wide_config();
        config.in_channels = 8;
        const Model model = model_of(config);
        const Tensor picture = draw_tensor({2, 3, 96, 64}, 3) * 0.5 + 0.5;
        const std::map<std::string, Value> inputs{{"model", Value::of(model)}, {"vae", Value::of(vae())}, {"image", Value::of(make_image(picture))}};
        const tests::NodeRun made = tests::run_node("instruct.model_condition", {}, inputs);
        DenoiserInput whole = input();
        const Tensor cells = gpu::mean(gpu::reshape(picture, {2, 3, 12, 8, 8, 8}), {3, 5}, false);
        whole.latent = gpu::concat({whole.latent, cells, gpu::sum(cells, {1})}, 1);
        QVERIFY(relative_error(output(made.get<Model>("model")), output(model, whole)) < 1e-6);
        // Two pictures serve four rows in turn.
        DenoiserInput four = input();
        for (Tensor* tensor : {&four.latent, &four.timestep, &four.context}) *tensor = gpu::concat({*tensor, *tensor}, 0);
        const std::vector<float> two = output(made.get<Model>("model")), all = output(made.get<Model>("model"), four);
        std::vector<float> twice = two;
        twice.insert(twice.end(), two.begin(), two.end());
        QVERIFY(relative_error(all, twice) < 1e-5);
    }
    // Equation 3 of InstructPix2Pix: three predictions, one of them blind.
    void instructions_are_guided_by_the_picture_too() {
        UnetConfig config = wide_config();
        config.in_channels = 8;
        const Model model = model_of(config);
        const Tensor picture = draw_tensor({1, 3, 96, 64}, 3) * 0.5 + 0.5;
        const Model seeing = tests::run_node("instruct.model_condition", {{"guidance", 1.4}}, {{"model", Value::of(model)}, {"vae", Value::of(vae())}, {"image", Value::of(make_image(picture))}}).get<Model>("model");
        const Sampling sampling = make_sampling(model.info(), {.sampler = "euler", .steps = 3});
        const SamplingState state = begin_sampling(sampling, model.info(), make_latent(gpu::zeros({1, 4, 12, 8}), model.info().latent), {.seed = 4});
        const Conditioning positive{{{.context = draw_tensor({1, 5, 12}, 6)}}}, negative{{{.context = draw_tensor({1, 5, 12}, 7)}}};
        const Tensor cells = gpu::mean(gpu::reshape(picture, {1, 3, 12, 8, 8, 8}), {3, 5}, false), shown = gpu::concat({cells, gpu::sum(cells, {1})}, 1);
        const auto predicted = [&](const Conditioning& prompt, bool blind) {
            DenoiserInput in{.latent = gpu::concat({state.sampler.x, blind ? gpu::zeros(shown.shape()) : shown}, 1),
                             .timestep = gpu::full({1}, sampling.info(0).level.timestep), .context = prompt.entries[0].context};
            return (*model.denoiser())(in);
        };
        const Tensor blind = predicted(negative, true), untold = predicted(negative, false), told = predicted(positive, false);
        const Predictions made = predict_step(seeing, sampling, state, positive, &negative, 6);
        QVERIFY(relative_error(gpu::to_floats(made.others.at(0)), gpu::to_floats(blind)) < 1e-5);
        QVERIFY(relative_error(gpu::to_floats(blind), gpu::to_floats(untold)) > 1e-3);
        const Tensor wanted = blind + (untold - blind) * 1.4 + (told - untold) * 6.0;
        QVERIFY(relative_error(gpu::to_floats(combine(seeing.patches(), sampling, made, 6)), gpu::to_floats(wanted)) < 1e-5);
        // At 1 it is the usual guidance, and nothing more is predicted; documents of before had that.
        const Model plain = tests::run_node("instruct.model_condition", {{"guidance", 1}}, {{"model", Value::of(model)}, {"vae", Value::of(vae())}, {"image", Value::of(make_image(picture))}}).get<Model>("model");
        QVERIFY(predict_step(plain, sampling, state, positive, &negative, 6).others.empty());
        QCOMPARE(find_node_type("instruct.model_condition")->upgrade({}, 1)["guidance"].toDouble(), 1.0);
    }
};

HEDDLE_TEST(adapt, AdaptTest)
#include "adapt.moc"
