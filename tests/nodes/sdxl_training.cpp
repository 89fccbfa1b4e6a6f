// Training of networks that read pooled text and sizes, as SDXL does (arXiv:2307.01952): what they are told in training is what they are
// told when they draw, a LoRA learns, and bad combinations are named.
#include <QTemporaryDir>
#include <cmath>

#include "gpu/ops.h"
#include "nodes/models/clip/encode.h"
#include "nodes/models/clip/load.h"
#include "nodes/models/diffusion/predict.h"
#include "nodes/models/taesd/taesd.h"
#include "nodes/training/diffusion.h"
#include "nodes/training/loop.h"
#include "nodes/types/conditioning.h"
#include "nodes/types/dataset.h"
#include "tests/support/compare.h"
#include "tests/support/error_of.h"
#include "tests/support/golden.h"
#include "tests/support/named_weights.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::message_of;
using tests::relative_error;
using tests::run_node;

namespace {

const std::vector<std::string> captions{"the cat", "red", "the dog", "cat dog"};

// Plain pictures of 24 x 16 pixels: 2 x 3 cells.
Dataset pictures() {
    std::vector<std::shared_ptr<const Pixels>> all;
    for (std::size_t n = 0; n < captions.size(); ++n)
        all.push_back(std::make_shared<const Pixels>(Pixels{24, 16, std::vector<std::uint8_t>(24 * 16 * 4, static_cast<std::uint8_t>(60 * n + 40))}));
    return {.source = memory_source(captions, all), .items = {0, 1, 2, 3}, .framing = {.width = 24, .height = 16, .fill = 1}};
}

Model small_sdxl(int context_width, int pooled_width) {
    UnetConfig config;
    config.levels = {{16, 2, {0}, {0, 0}}, {32, 4, {1}, {1, 1}}};
    config.middle_heads = 4;
    config.context_width = context_width;
    config.groups = 8;
    config.linear_projection = true;
    config.time_width = 64;
    config.pooled_width = pooled_width, config.size_embedding = 8, config.label_width = pooled_width + 6 * 8;
    const Scope scope = Scope::shapes();
    const UnetNetwork network(scope, config);
    return Model(make_unet(tests::named_weights(scope), config, unet_info(config)));
}

}  // namespace

class SdxlTrainingTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() {
        const tests::Golden clip("clip"), taesd("taesd");
        const Value vae = Value::of<Vae>(load_taesd(taesd.file("plain.safetensors"), ""));
        encoder_.emplace(load_text_encoder({clip.file("sdxl.safetensors")}));
        const auto encoded = run_node("dataset.encode", {}, {{"dataset", Value::of<Dataset>(pictures())}, {"vae", vae}, {"encoder", Value::of<Encoder>(*encoder_)}});
        examples_ = encoded.get<Examples>("examples");
        // As the disk cache keeps them.
        const Value kept = socket_type<Examples>().restore(*encoded.outputs.at("examples").stored());
        QVERIFY(kept.get<Examples>()->pooled_width == examples_.pooled_width && *kept.get<Examples>()->pooled == *examples_.pooled);
        model_.emplace(small_sdxl(static_cast<int>(examples_.context_width), static_cast<int>(examples_.pooled_width)));
    }

    // A caption is encoded as the prompt is, by both towers.
    void captions_are_encoded_as_prompts() {
        for (std::size_t n = 0; n <= captions.size(); ++n) {
            const ConditioningEntry said = encode_prompt(*encoder_, {n < captions.size() ? captions[n] : ""}, {.dialect = PromptDialect::Plain}).conditioning.entries[0];
            const std::vector<float> context = gpu::to_floats(said.context), pooled = gpu::to_floats(said.pooled);
            const auto at = static_cast<std::ptrdiff_t>(n);
            QCOMPARE(context.size(), examples_.context_elements());
            QVERIFY(relative_error({examples_.contexts->begin() + at * static_cast<std::ptrdiff_t>(context.size()), examples_.contexts->begin() + (at + 1) * static_cast<std::ptrdiff_t>(context.size())}, context) < 1e-6);
            QCOMPARE(static_cast<std::int64_t>(pooled.size()), examples_.pooled_width);
            QVERIFY(relative_error({examples_.pooled->begin() + at * examples_.pooled_width, examples_.pooled->begin() + (at + 1) * examples_.pooled_width}, pooled) < 1e-6);
        }
    }

    // The loss is that of what sampling would say of the same noisy latent: pooled text, and a frame's sides as sizes.
    void the_loss_is_of_what_sampling_says() {
        const ObjectiveRef objective = diffusion_objective({.examples = examples_, .moves = low_rank(*model_, {.rank = 2}), .loss = {.drop_text = 0}});
        NamedTensors start;
        for (const Parameter& parameter : objective->parameters()) start.emplace(parameter.name, parameter.value);
        for (std::int64_t item = 0; item < examples_.size(); ++item) {
            const std::vector<Visit> visit{{item, static_cast<std::uint64_t>(item)}};
            const gpu::Tensors b = objective->batch(visit, 3);      // latent, noise, timestep, signal, level, ...
            const double trained = gpu::to_floats(objective->loss(start, b))[0];
            const auto drawn = [&](const SizeCondition& size, bool pooled) {
                Conditioning told = encode_prompt(*encoder_, {captions[static_cast<std::size_t>(item)]}, {.dialect = PromptDialect::Plain}).conditioning;
                told.entries[0].size = size;
                if (!pooled) told.entries[0].pooled = {};
                PredictOptions options;
                options.at.level = NoiseTable().level(static_cast<int>(gpu::to_floats(b[2])[0]));
                const Tensor said = predict(*model_, {&told}, b[3] * b[0] + b[4] * b[1], options)[0];
                return static_cast<double>(gpu::to_number(gpu::mean(gpu::square(said - b[1]))));
            };
            QVERIFY2(std::abs(trained - drawn({}, true)) < 1e-5 * trained, qPrintable(QString("%1 and %2").arg(trained).arg(drawn({}, true))));
            QVERIFY(std::abs(trained - drawn({.height = 512, .width = 512}, true)) > 1e-4 * trained);
            QVERIFY(std::abs(trained - drawn({}, false)) > 1e-4 * trained);
        }
    }

    void a_lora_learns_and_its_file_holds_it() {
        const ObjectiveRef objective = diffusion_objective({.examples = examples_, .moves = low_rank(*model_, {.rank = 4, .alpha = 8, .layers = LowRankLayers::All}), .loss = {}});
        TrainPlan plan;
        plan.options.schedule.rate = 1e-2, plan.options.max_norm = 1;
        plan.steps = 60, plan.batch = 8, plan.seed = 5;
        std::vector<Visit> visits;
        for (std::uint64_t at = 0; at < 64; ++at) visits.push_back(visit_at(9, at, objective->size()));
        NamedTensors start;
        for (const Parameter& parameter : objective->parameters()) start.emplace(parameter.name, parameter.value);
        const double before = gpu::to_floats(objective->loss(start, objective->batch(visits, 9)))[0];
        const TrainOutcome outcome = train(*objective, plan, {});
        QVERIFY2(outcome.last.loss < 0.9 * before, qPrintable(QString("%1 to %2").arg(before).arg(outcome.last.loss)));

        const QTemporaryDir folder;
        const QString file = folder.filePath("sdxl.safetensors");
        run_node("lora.save", {{"file", file}, {"half", false}}, {{"patch", Value::of<PatchRef>(outcome.trained.part<PatchRef>())}});
        const auto loaded = run_node("adapt.lora_model", {{"file", file}}, {{"model", Value::of<Model>(*model_)}});
        QVERIFY2(loaded.warnings.empty(), loaded.warnings.empty() ? "" : loaded.warnings[0].c_str());
        const auto said = [&](const Model& model) {
            return (*model.denoiser())({.latent = tests::draw_tensor({1, 4, 4, 4}, 3), .timestep = gpu::tensor({300}), .context = tests::draw_tensor({1, 5, examples_.context_width}, 4),
                                        .pooled = tests::draw_tensor({1, examples_.pooled_width}, 5), .size_ids = gpu::tensor(std::vector<float>{32, 32, 0, 0, 32, 32}, {1, 6})});
        };
        const Model& changed = outcome.trained.part<Model>();
        QVERIFY(relative_error(said(changed), said(*model_)) > 0.05);
        QVERIFY(relative_error(said(loaded.get<Model>("model")), said(changed)) < 1e-4);
    }

    void bad_combinations_are_named() {
        Examples bare = examples_;
        bare.pooled_width = 0, bare.pooled = nullptr;
        const std::string missing = message_of([&] { diffusion_objective({.examples = bare, .moves = low_rank(*model_, {.rank = 2}), .loss = {}}); });
        QVERIFY2(missing.find("with pooled text of width") != std::string::npos, missing.c_str());
        const LearnedWord word{.encoder = *encoder_, .name = "<mine>", .start = {std::vector<float>(8)}, .templates = {"{}"}};
        const std::string learned = message_of([&] { diffusion_objective({.examples = examples_, .moves = nothing_moves(*model_), .loss = {}, .prior = {}, .word = word}); });
        QVERIFY2(learned.find("expected a network that reads no pooled text") != std::string::npos, learned.c_str());
    }

private:
    std::optional<Encoder> encoder_;
    Examples examples_;
    std::optional<Model> model_;
};

HEDDLE_TEST(sdxl_training, SdxlTrainingTest)
#include "sdxl_training.moc"
