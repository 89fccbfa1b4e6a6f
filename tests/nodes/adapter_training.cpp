// Changes of a trained network: LoRA, words, Custom Diffusion, DreamBooth's prior. What is learned, what stays, and that files hold it.
#include <QTemporaryDir>
#include <cmath>

#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/models/lora/patch.h"
#include "nodes/training/diffusion.h"
#include "nodes/training/loop.h"
#include "nodes/types/conditioning.h"
#include "tests/support/compare.h"
#include "tests/support/named_weights.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::failure_of;
using tests::relative_error;
using tests::run_node;

namespace {

// Eight pictures of 8 x 8 latents: stripes of some direction and sign.
Examples stripes(const Encoder& encoder, double sign) {
    Examples made{.format = {.family = "pico", .channels = 4}, .height = 8, .width = 8};
    std::vector<float> latents, contexts;
    const TextTower& tower = *encoder.towers()[0].tower;
    std::vector<TextRow> rows;
    for (int n = 0; n <= 8; ++n) {
        if (n < 8) made.captions.push_back(gpu::format("stripe {}", n));
        rows.push_back(plain_row(tower, n < 8 ? made.captions.back() : ""));
        for (int c = 0; c < 4 && n < 8; ++c)
            for (int y = 0; y < 8; ++y)
                for (int x = 0; x < 8; ++x) latents.push_back(static_cast<float>(sign * (((n & 1 ? x : y) + n / 2 + c) % 4 < 2 ? 1 : -1)));
    }
    const Tensor context = encoder.network(0)->operator()(rows, encoder.drop(0), encoder.towers()[0].norm, false).context;
    made.tokens = context.size(1), made.context_width = context.size(2);
    contexts = gpu::to_floats(context);
    made.latents = std::make_shared<const std::vector<float>>(latents);
    made.contexts = std::make_shared<const std::vector<float>>(contexts);
    return made;
}

TrainOutcome run(const ObjectiveRef& objective, std::int64_t steps, double rate) {
    TrainPlan plan;
    plan.options.schedule.rate = rate;
    plan.options.max_norm = 1;
    plan.steps = steps, plan.batch = 8, plan.seed = 5;
    return train(*objective, plan, {});
}

// The mean over many noise levels, of the same visits at every call.
double loss_of(const Objective& objective, const NamedTensors& parameters) {
    std::vector<Visit> visits;
    for (std::uint64_t at = 0; at < 64; ++at) visits.push_back(visit_at(9, at, objective.size()));
    return gpu::to_floats(objective.loss(parameters, objective.batch(visits, 9)))[0];
}
NamedTensors start_of(const Objective& objective) {
    NamedTensors start;
    for (const Parameter& parameter : objective.parameters()) start.emplace(parameter.name, parameter.value);
    return start;
}

// Where the parameters are after some steps.
NamedTensors moved(const Objective& objective, std::uint64_t steps, double rate) {
    gpu::train::TrainOptions options;
    options.schedule.rate = rate, options.max_norm = 1;
    gpu::train::Trainer trainer(objective.parameters(), options);
    for (std::uint64_t step = 0; step < steps; ++step) {
        std::vector<Visit> visits;
        for (std::uint64_t i = 0; i < 8; ++i) visits.push_back(visit_at(7, step * 8 + i, objective.size()));
        trainer.step([&](const NamedTensors& p, const gpu::Tensors& b) { return objective.loss(p, b); }, {objective.batch(visits, 7)});
    }
    return trainer.parameters();
}

std::vector<float> said(const Model& model, const Examples& examples) {
    const std::int64_t width = examples.context_width, tokens = examples.tokens;
    const Tensor latent = gpu::tensor(tests::draw(2 * 4 * 8 * 8, 3), {2, 4, 8, 8}), context = gpu::tensor(tests::draw(2 * tokens * width, 4), {2, tokens, width});
    return gpu::to_floats((*model.denoiser())({.latent = latent, .timestep = gpu::tensor({300, 700}), .context = context}));
}

}  // namespace

class AdapterTrainingTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() {
        std::vector<std::string> captions;
        std::vector<std::shared_ptr<const Pixels>> pictures;
        for (int n = 0; n < 8; ++n) {
            captions.push_back(gpu::format("stripe {}", n));
            pictures.push_back(std::make_shared<const Pixels>(Pixels{8, 8, std::vector<std::uint8_t>(8 * 8 * 4, static_cast<std::uint8_t>(40 * n % 256))}));
        }
        Dataset dataset{.source = memory_source(captions, pictures), .items = {0, 1, 2, 3, 4, 5, 6, 7}, .framing = {.width = 16, .height = 16}};
        const Value all = Value::of<Dataset>(dataset), merges = run_node("dataset.merges", {{"count", 4}}, {{"dataset", all}}).outputs.at("merges");
        const Value clip = run_node("train.clip", {{"text_width", 64}, {"text_layers", 1}, {"positions", 12}, {"width", 64}, {"layers", 1}, {"patch", 4}, {"projection", 16}},
                                    {{"dataset", all}, {"merges", merges}}).outputs.at("objective");
        encoder_ = run_node("train.run", {{"steps", 2}, {"batch", 4}}, {{"objective", clip}}).outputs.at("trained").converted_to(socket_type<Encoder>());
        examples_ = stripes(*encoder_.get<Encoder>(), 1), inverted_ = stripes(*encoder_.get<Encoder>(), -1);
        const UnetConfig config = small_unet_config({32, 64}, {true, true}, 1, 4, 64);
        const ObjectiveRef objective =
            diffusion_objective({.examples = examples_, .moves = whole_network(config, training_info(config, examples_, PredictionType::V, {}), {}, 1), .loss = {}});
        model_.emplace(run(objective, 150, 3e-3).trained.part<Model>());
    }

    void a_lora_learns() {
        for (const LowRankLayers layers : {LowRankLayers::Attention, LowRankLayers::Transformers, LowRankLayers::All}) {
            const ObjectiveRef objective =
                diffusion_objective({.examples = inverted_, .moves = low_rank(*model_, {.rank = 3, .alpha = 6, .layers = layers, .seed = 2}), .loss = {.drop_text = 0}});
            const std::vector<float> before = said(*model_, examples_);
            const double first = loss_of(*objective, start_of(*objective));
            // At its start it changes nothing.
            const Trained untrained = objective->result(start_of(*objective));
            QVERIFY(relative_error(said(untrained.part<Model>(), examples_), before) < 1e-5);
            const TrainOutcome outcome = run(objective, layers == LowRankLayers::All ? 60 : 40, 1e-2);
            const Model& changed = outcome.trained.part<Model>();
            QVERIFY(relative_error(said(changed, examples_), before) > 0.05);
            QVERIFY(said(*model_, examples_) == before);
            QVERIFY2(outcome.last.loss < 0.95 * first, qPrintable(QString("%1 to %2").arg(first).arg(outcome.last.loss)));

            // Files of both layouts hold it.
            const QTemporaryDir folder;
            const Value patch = Value::of<PatchRef>(outcome.trained.part<PatchRef>());
            for (const char* layout : {"kohya", "peft"}) {
                const QString file = folder.filePath(QString(layout) + ".safetensors");
                run_node("lora.save", {{"file", file}, {"layout", layout}, {"half", false}}, {{"patch", patch}});
                const auto loaded = run_node("adapt.lora_model", {{"file", file}}, {{"model", Value::of<Model>(*model_)}});
                QVERIFY2(loaded.warnings.empty(), loaded.warnings.empty() ? "" : loaded.warnings[0].c_str());
                QVERIFY2(relative_error(said(loaded.get<Model>("model"), examples_), said(changed, examples_)) < 1e-4, layout);
            }
        }
    }

    void a_word_learns() {
        const Encoder& encoder = *encoder_.get<Encoder>();
        const LearnedWord word{.encoder = encoder, .name = "<mine>", .start = start_vectors(encoder, "stripe", 2), .templates = {"{}", "a {}"}};
        // One picture that the network can draw: its word has to be found.
        Examples one = examples_;
        one.captions = {examples_.captions[3]};
        one.latents = std::make_shared<const std::vector<float>>(examples_.latents->begin() + 3 * 256, examples_.latents->begin() + 4 * 256);
        const auto text = static_cast<std::ptrdiff_t>(examples_.context_elements());
        std::vector<float> contexts(examples_.contexts->begin() + 3 * text, examples_.contexts->begin() + 4 * text);
        contexts.insert(contexts.end(), examples_.contexts->end() - text, examples_.contexts->end());
        one.contexts = std::make_shared<const std::vector<float>>(contexts);
        const ObjectiveRef objective = diffusion_objective({.examples = one, .moves = nothing_moves(*model_), .loss = {.drop_text = 0}, .prior = {}, .word = word});
        QCOMPARE(objective->parameters().size(), std::size_t(1));
        const double before = loss_of(*objective, start_of(*objective));
        const TrainOutcome outcome = run(objective, 100, 5e-2);
        const Encoder& made = outcome.trained.part<Encoder>();
        QCOMPARE(made.embeddings().size(), std::size_t(1));
        NamedTensors learned;
        std::vector<float> rows;
        for (const auto& row : made.embeddings()[0].rows.at(64)) rows.insert(rows.end(), row->begin(), row->end());
        learned.emplace("word", gpu::tensor(rows, {2, 64}));
        const double after = loss_of(*objective, learned);
        QVERIFY2(after < 0.95 * before, qPrintable(QString("%1 to %2").arg(before).arg(after)));

        // The prompt with the word is what the trainer told the network; files hold it in both forms.
        const auto context = [&](const Value& e, const char* text) {
            return gpu::to_floats(run_node("text.encode", {{"text", text}}, {{"encoder", e}}).get<Conditioning>("conditioning").entries[0].context);
        };
        const Value trained = Value::of<Encoder>(made);
        const std::vector<float> wanted = context(trained, "embedding:<mine>");
        QVERIFY(relative_error(wanted, context(encoder_, "stripe stripe")) > 1e-3);
        const TextTowerInfo& tower = encoder.towers()[0].tower->info();
        std::vector<std::int32_t> ids{tower.start, 0, 0, tower.end};
        ids.resize(static_cast<std::size_t>(tower.positions), tower.pad);
        std::vector<float> places(ids.size() * 2);
        places[1 * 2 + 0] = places[2 * 2 + 1] = 1;
        const Tensor own = encoder.network(0)->context(gpu::tensor_i32(ids, {1, tower.positions}), gpu::tensor(places, {1, tower.positions, 2}), learned.at("word"), encoder.drop(0),
                                                       encoder.towers()[0].norm);
        QVERIFY(relative_error(gpu::to_floats(own), wanted) < 1e-5);
        const QTemporaryDir folder;
        for (const char* form : {"diffusers", "webui"}) {
            const QString file = folder.filePath(QString(form) + ".safetensors");
            run_node("embedding.save", {{"file", file}, {"form", form}}, {{"encoder", trained}});
            const Value loaded = run_node("text.embedding_load", {{"file", file}}, {{"encoder", encoder_}}).outputs.at("encoder");
            QVERIFY(context(loaded, (std::string("embedding:") + form).c_str()) == wanted);
        }
        QVERIFY(failure_of("embedding.save", {{"file", folder.filePath("x.safetensors")}}, {{"encoder", encoder_}}) == gpu::ErrorCode::InvalidGraph);
        QVERIFY(failure_of("embedding.save", {{"file", folder.filePath("x.safetensors")}, {"word", "other"}}, {{"encoder", trained}}) == gpu::ErrorCode::InvalidGraph);
    }

    void custom_diffusion_learns_both() {
        const QTemporaryDir folder;
        const std::map<std::string, Value> inputs{{"examples", Value::of<Examples>(inverted_)}, {"model", Value::of<Model>(*model_)}, {"encoder", encoder_}};
        const Value objective = run_node("train.custom_diffusion", {{"like", "stripe"}, {"templates", "{} stripe"}}, inputs).outputs.at("objective");
        const Objective& learns = **objective.get<ObjectiveRef>();
        const NamedTensors learned = moved(learns, 40, 1e-2);
        const double before = loss_of(learns, start_of(learns)), after = loss_of(learns, learned);
        QVERIFY2(after < 0.95 * before, qPrintable(QString("%1 to %2").arg(before).arg(after)));
        const Trained trained = learns.result(learned);
        QVERIFY(trained.part<Encoder>().embeddings()[0].names[0] == "<new1>");
        const QString file = folder.filePath("custom.safetensors");
        run_node("lora.save", {{"file", file}, {"half", false}}, {{"patch", Value::of<PatchRef>(trained.part<PatchRef>())}});
        const gpu::Checkpoint saved = gpu::open_checkpoint(file.toStdString());
        QVERIFY(saved.find("down_blocks.0.attentions.0.transformer_blocks.0.attn2.processor.to_k_custom_diffusion.weight"));
        const auto loaded = run_node("adapt.lora_model", {{"file", file}}, {{"model", Value::of<Model>(*model_)}});
        QVERIFY(relative_error(said(loaded.get<Model>("model"), examples_), said(trained.part<Model>(), examples_)) < 1e-5);
        QVERIFY(relative_error(said(*model_, examples_), said(trained.part<Model>(), examples_)) > 1e-3);
    }

    // DreamBooth: one example of the prior beside each visit, and the network goes on to draw those.
    void a_prior_is_kept() {
        const auto objective = [&](bool prior) {
            DiffusionTraining training{.examples = inverted_, .moves = low_rank(*model_, {.rank = 4, .layers = LowRankLayers::All}), .loss = {.drop_text = 0, .prior = 0.5}};
            if (prior) training.prior = examples_;
            return diffusion_objective(std::move(training));
        };
        std::vector<Visit> visits{{2, 0}, {5, 1}, {1, 2}};
        const gpu::Tensors batch = objective(true)->batch(visits, 1);
        QVERIFY(batch[0].shape() == (gpu::Shape{6, 4, 8, 8}));
        const std::vector<float> weights = gpu::to_floats(batch[5]), clean = gpu::to_floats(batch[0]);
        QVERIFY((weights == std::vector<float>{1, 1, 1, 0.5f, 0.5f, 0.5f}));
        QVERIFY(std::equal(clean.begin(), clean.begin() + 256, inverted_.latents->begin() + 2 * 256));
        // The loss that the prior has after training with and without it.
        const ObjectiveRef kept = diffusion_objective({.examples = examples_, .moves = low_rank(*model_, {.rank = 4, .layers = LowRankLayers::All}), .loss = {.drop_text = 0}});
        const auto forgot = [&](bool prior) {
            const ObjectiveRef made = objective(prior);
            return loss_of(*kept, moved(*made, 40, 5e-3));
        };
        const double with = forgot(true), without = forgot(false), before = loss_of(*kept, start_of(*kept));
        QVERIFY2(with < without, qPrintable(QString("%1 before, %2 with the prior, %3 without").arg(before).arg(with).arg(without)));
    }

    // Blocks that are computed again give the same gradients.
    void recomputing_changes_nothing() {
        std::vector<std::vector<float>> learned;
        for (const bool recompute : {false, true}) {
            const ObjectiveRef objective = diffusion_objective({.examples = inverted_, .moves = low_rank(*model_, {.rank = 2}), .loss = {}, .prior = {}, .word = {}, .vae = {}, .recompute = recompute});
            learned.push_back(said(run(objective, 4, 1e-2).trained.part<Model>(), examples_));
        }
        QVERIFY(relative_error(learned[1], learned[0]) < 1e-4);
        QVERIFY(learned[0] != said(*model_, examples_));
    }

    void bad_input_is_named() {
        Examples wide = examples_;
        wide.context_width = 32;
        QVERIFY_EXCEPTION_THROWN(diffusion_objective({.examples = wide, .moves = nothing_moves(*model_), .loss = {}}), gpu::Error);
        QVERIFY_EXCEPTION_THROWN(low_rank(*model_, {.rank = 0}), gpu::Error);
        QVERIFY_EXCEPTION_THROWN(start_vectors(*encoder_.get<Encoder>(), "", 1), gpu::Error);
        const std::map<std::string, Value> inputs{{"examples", Value::of<Examples>(examples_)}, {"model", Value::of<Model>(*model_)}, {"encoder", encoder_}};
        QVERIFY(failure_of("train.word", {{"templates", "no place"}}, inputs) == gpu::ErrorCode::InvalidGraph);
        QVERIFY(failure_of("train.word", {{"templates", ""}}, inputs) == gpu::ErrorCode::InvalidGraph);
    }

private:
    Value encoder_;
    Examples examples_, inverted_;
    std::optional<Model> model_;
};

HEDDLE_TEST(adapter_training, AdapterTrainingTest)
#include "adapter_training.moc"
