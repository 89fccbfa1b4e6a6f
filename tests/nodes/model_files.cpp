// Whole models to files and back, in both layouts, alone and together, with patches baked in; merging.
#include <QElapsedTimer>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>

#include "gpu/base/error.h"
#include "gpu/run/evaluate.h"
#include "nodes/models/clip/load.h"
#include "nodes/models/clip/text.h"
#include "nodes/models/controlnet/controlnet.h"
#include "nodes/models/detect/folder.h"
#include "nodes/models/lora/patch.h"
#include "nodes/models/merge/merge.h"
#include "nodes/models/source/save.h"
#include "nodes/models/source/source.h"
#include "nodes/models/taesd/taesd.h"
#include "nodes/models/unet/keys.h"
#include "nodes/models/unet/unet.h"
#include "nodes/models/vae/kl.h"
#include "nodes/models/vae/load.h"
#include "nodes/types/encoder.h"
#include "tests/support/compare.h"
#include "tests/support/named_weights.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::relative_error;

namespace {

UnetConfig config(int in_channels = 4) {
    UnetConfig config;
    config.levels = {{16, 2, {1, 1}, {1, 1, 1}}, {32, 4, {1, 1}, {1, 1, 1}}};
    config.in_channels = in_channels;
    config.middle_heads = 4;
    config.context_width = 64;
    config.groups = 8;
    config.time_width = 64;
    return config;
}

gpu::Weights unet_weights(const UnetConfig& of = config()) {
    const Scope scope = Scope::shapes();
    const UnetNetwork network(scope, of);
    return tests::named_weights(scope);
}

SavedModel model() {
    SavedModel model{.family = "pico"};
    ModelInfo info = unet_info(config());
    info.prediction = PredictionType::V;
    model.unet = SavedModel::Unet{unet_weights(), {}, config(), info};
    const Scope vae = Scope::shapes();
    const VaeConfig sizes = vae_config({8, 16}, 4, 1);
    const KlAutoencoder network(vae, sizes, latent_format("sd1", 4));
    model.vae = SavedModel::Vae{tests::named_weights(vae), sizes, latent_format("sd1", 4)};
    const Scope text = Scope::shapes();
    const ClipText tower(text, {.width = 64, .layers = 2, .heads = 1, .inner = 128, .vocabulary = 600, .positions = 77});
    model.text.push_back({tests::named_weights(text), {}});
    return model;
}

void same(const gpu::Weights& a, const gpu::Weights& b) {
    QCOMPARE(a.size(), b.size());
    for (const auto& [name, weight] : a) {
        const auto other = b.find(name);
        QVERIFY2(other != b.end(), name.c_str());
        QVERIFY2(weight.entry.shape == other->second.entry.shape, name.c_str());
        QVERIFY2(std::ranges::equal(weight.entry.bytes, other->second.entry.bytes), name.c_str());
    }
}

std::string message_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const gpu::Error& error) {
        return error.message();
    }
    return "none";
}

}  // namespace

class ModelFilesTest : public QObject {
    Q_OBJECT
private slots:
    void layouts_hold_the_same_bits() {
        QTemporaryDir dir;
        const SavedModel first = model();
        const std::string file = dir.filePath("a.safetensors").toStdString(), folder = dir.filePath("b").toStdString(), back = dir.filePath("c.safetensors").toStdString();
        save_model(first, file);
        const SavedModel second = read_saved_model(file);
        save_model(second, folder, {.layout = ModelLayout::Diffusers});
        const SavedModel third = read_saved_model(folder);
        save_model(third, back);
        const SavedModel fourth = read_saved_model(back);
        for (const SavedModel* one : {&second, &third, &fourth}) {
            same(one->unet->weights, first.unet->weights);
            same(one->vae->weights, first.vae->weights);
            QCOMPARE(one->text.size(), std::size_t(1));
            same(one->text[0].weights, first.text[0].weights);
            QVERIFY(one->unet->info.prediction == PredictionType::V);
        }
        // Names on disk are the layouts'.
        QVERIFY(gpu::open_checkpoint(file).find("model.diffusion_model.input_blocks.1.0.in_layers.2.weight"));
        QVERIFY(gpu::open_checkpoint(file).find("first_stage_model.encoder.mid.attn_1.q.weight"));
        QVERIFY(gpu::open_checkpoint(folder + "/unet/diffusion_pytorch_model.safetensors").find("down_blocks.0.resnets.0.conv1.weight"));
        // A folder tells what shapes do not.
        const std::string told = dir.filePath("d").toStdString();
        save_model(first, told, {.layout = ModelLayout::Diffusers});
        QCOMPARE(unet_hints(read_json_object(told + "/unet/config.json")).heads, (std::vector<int>{2, 4}));
        QCOMPARE(read_saved_model(told).unet->config.levels[1].heads, 4);
        QCOMPARE(open_model_source(folder).scheduler["prediction_type"].toString(), QString("v_prediction"));
    }
    void parts_are_saved_alone_and_in_other_types() {
        QTemporaryDir dir;
        const auto path = [&](const char* name) { return dir.filePath(name).toStdString(); };
        SavedModel unet = model(), vae = model(), text = model();
        unet.vae.reset(), unet.text.clear(), vae.unet.reset(), vae.text.clear(), text.unet.reset(), text.vae.reset();
        save_model(unet, path("u.safetensors"), {.layout = ModelLayout::Diffusers, .type = SavedType::F16});
        const gpu::Checkpoint saved = gpu::open_checkpoint(path("u.safetensors"));
        QVERIFY(saved.find("conv_in.weight") && saved.find("conv_in.weight")->dtype == gpu::Dtype::F16);
        const SavedModel back = read_saved_model(path("u.safetensors"));
        for (const auto& [name, weight] : unet.unet->weights)
            QVERIFY(relative_error(gpu::entry_floats(back.unet->weights.at(name).entry), gpu::entry_floats(weight.entry)) < 1e-3);
        save_model(vae, path("v.safetensors"));
        same(read_saved_model(path("v.safetensors")).vae->weights, vae.vae->weights);
        save_model(text, path("t.safetensors"));
        same(read_saved_model(path("t.safetensors")).text[0].weights, text.text[0].weights);
        QVERIFY(message_of([&] { save_model(model(), path("x.bin")); }).find("ends in .safetensors") != std::string::npos);
        QVERIFY(message_of([&] { save_model(model(), path("x.safetensors"), {.layout = ModelLayout::Diffusers}); }).find("name of a folder") != std::string::npos);
        QVERIFY(message_of([&] { save_model({}, path("x.safetensors")); }).find("got none") != std::string::npos);
        // A wrong file says what it is.
        QVERIFY(message_of([&] { open_model_source(path("v.safetensors")); }).find("got an autoencoder") != std::string::npos);
        QVERIFY(message_of([&] { open_unet_source(path("t.safetensors")); }).find("expected a UNet, alone or in a checkpoint, got a text encoder") != std::string::npos);
        QVERIFY(message_of([&] { open_model_source(path("u.safetensors")); }).find("got a UNet") != std::string::npos);
    }
    void loaders_name_files_of_other_kinds() {
        QTemporaryDir dir;
        const auto saved = [&](const char* name, const std::function<void(SavedModel&)>& keep) {
            SavedModel one = model();
            keep(one);
            save_model(one, dir.filePath(name).toStdString());
            return dir.filePath(name).toStdString();
        };
        const std::string unet = saved("u.safetensors", [](SavedModel& m) { m.vae.reset(), m.text.clear(); }),
                          vae = saved("v.safetensors", [](SavedModel& m) { m.unet.reset(), m.text.clear(); }),
                          text = saved("t.safetensors", [](SavedModel& m) { m.unet.reset(), m.vae.reset(); });
        struct Row {
            const char* wanted;
            std::function<void(const std::string&)> load;
            std::map<std::string, std::string> got;
        };
        const Row rows[] = {{"expected an autoencoder", [](const std::string& path) { load_vae(path); }, {{unet, "got a UNet"}, {text, "got a text encoder"}}},
                            {"expected a ControlNet or a T2I-Adapter", [](const std::string& path) { load_control(path); },
                             {{unet, "got a UNet"}, {vae, "got an autoencoder"}, {text, "got a text encoder"}}},
                            {"expected a text encoder of CLIP", [](const std::string& path) { load_text_encoder({path}); }, {{unet, "got a UNet"}, {vae, "got an autoencoder"}}},
                            {"expected an image encoder of CLIP", [](const std::string& path) { make_vision(std::array{gpu::open_checkpoint(path)}); },
                             {{unet, "got a UNet"}, {vae, "got an autoencoder"}, {text, "got a text encoder"}}},
                            {"expected a tiny autoencoder", [](const std::string& path) { load_taesd("", path); },
                             {{unet, "got a UNet"}, {vae, "got an autoencoder"}, {text, "got a text encoder"}}}};
        for (const Row& row : rows)
            for (const auto& [path, got] : row.got) {
                const std::string said = message_of([&] { row.load(path); });
                QVERIFY2(said.find(path) != std::string::npos && said.find(row.wanted) != std::string::npos && said.find(got) != std::string::npos, said.c_str());
            }
    }
    void patches_are_baked_in() {
        QTemporaryDir dir;
        const std::string path = dir.filePath("m.safetensors").toStdString(), layer = "input_blocks.1.1.transformer_blocks.0.attn1.to_q";
        SavedModel one = model();
        one.vae.reset(), one.text.clear();
        const auto make = [&](const gpu::Shape& shape, double seed) {
            const auto values = std::make_shared<std::vector<float>>(tests::draw(gpu::element_count(shape), seed));
            return gpu::Weight{{.name = "x", .dtype = gpu::Dtype::F32, .shape = shape, .bytes = std::as_bytes(std::span(*values))}, values, "x"};
        };
        auto file = std::make_shared<LoraFile>();
        file->modules.push_back({.name = "unet." + layer, .parts = {{"up", make({16, 2}, 1)}, {"down", make({2, 16}, 2)}}});
        for (const bool live : {false, true}) {
            const LoraNames names = LoraNames::unet(one.unet->weights);
            const AppliedLora applied = apply_lora(file, &names, {}, {.model = 0.5, .live = live}, "pico");
            one.unet->patches = {applied.unet};
            save_model(one, path);
            const SavedModel back = read_saved_model(path);
            const std::vector<float> got = gpu::entry_floats(back.unet->weights.at(layer + ".weight").entry);
            const std::vector<float> wanted = gpu::to_floats(lora_weight(file->modules[0], gpu::to_leaf(one.unet->weights.at(layer + ".weight")), 0.5));
            QVERIFY(relative_error(got, wanted) < 1e-6);
            QVERIFY(std::ranges::equal(back.unet->weights.at("out.2.bias").entry.bytes, one.unet->weights.at("out.2.bias").entry.bytes));
        }
    }
    void merges_are_weighted_sums() {
        const gpu::Weights a = unet_weights(), wide = unet_weights(config(9));
        gpu::Weights b, c;
        for (const auto& [name, weight] : a) {
            b.emplace(name, tests::named_weight("b" + name, weight.entry.shape));
            c.emplace(name, tests::named_weight("c" + name, weight.entry.shape));
        }
        const auto floats = [](const gpu::Weights& weights, const std::string& name) { return gpu::entry_floats(weights.at(name).entry); };
        const std::string name = "output_blocks.3.1.proj_in.weight", first = "input_blocks.0.0.weight";
        const std::vector<float> x = floats(a, name), y = floats(b, name), z = floats(c, name);
        const MergePatch sum("sum", {b, {}}, std::nullopt, 0.3, {}), difference("difference", {b, {}}, MergeSource{c, {}}, 0.3, BlockStrengths("out3=0.5"));
        const std::vector<float> mixed = gpu::to_floats(sum.apply(name, gpu::to_leaf(a.at(name)))), added = gpu::to_floats(difference.apply(name, gpu::to_leaf(a.at(name))));
        for (std::size_t i = 0; i < x.size(); ++i) {
            QVERIFY(std::abs(mixed[i] - (0.7 * x[i] + 0.3 * y[i])) < 1e-6);
            QVERIFY(std::abs(added[i] - (x[i] + 0.15 * (y[i] - z[i]))) < 1e-6);
        }
        QVERIFY(sum.unmatched(a).empty());
        // An inpainting model's first convolution keeps the channels of its mask.
        const std::vector<float> before = floats(wide, first), after = gpu::to_floats(sum.apply(first, gpu::to_leaf(wide.at(first)))), theirs = floats(b, first);
        for (std::size_t o = 0; o < 16; ++o)
            for (std::size_t channel = 0; channel < 9; ++channel)
                for (std::size_t k = 0; k < 9; ++k) {
                    const std::size_t at = (o * 9 + channel) * 9 + k;
                    const double wanted = channel < 4 ? 0.7 * before[at] + 0.3 * theirs[(o * 4 + channel) * 9 + k] : before[at];
                    QVERIFY(std::abs(after[at] - wanted) < 1e-6);
                }
        // The node: one ratio for all, and models of other shapes are refused.
        const Model left(make_unet(a, config(), unet_info(config()))), right(make_unet(b, config(), unet_info(config())));
        const auto run = tests::run_node("model.merge", {{"ratio", 0.25}}, {{"a", Value::of<Model>(left)}, {"b", Value::of<Model>(right)}});
        const std::vector<float> quarter = gpu::to_floats(patched_weight(name, gpu::to_leaf(a.at(name)), run.get<Model>("model").patches()));
        for (std::size_t i = 0; i < x.size(); ++i) QVERIFY(std::abs(quarter[i] - (0.75 * x[i] + 0.25 * y[i])) < 1e-6);
        QVERIFY(tests::failure_of("model.sampling", {{"terminal_snr", "zero"}}, {{"model", Value::of<Model>(left)}}) == gpu::ErrorCode::InvalidGraph);
        const auto sampling = tests::run_node("model.sampling", {{"terminal_snr", "zero"}, {"prediction", "v"}}, {{"model", Value::of<Model>(left)}});
        QVERIFY(sampling.get<Model>("model").info().prediction == PredictionType::V && sampling.get<Model>("model").info().noise.zero_terminal_snr);
    }
    void nodes_load_and_adapt_whole_models() {
        QTemporaryDir dir;
        const std::string file = dir.filePath("a.safetensors").toStdString(), folder = dir.filePath("b").toStdString(), adapter = dir.filePath("l.safetensors").toStdString();
        QFile merges(dir.filePath("merges.txt"));
        QVERIFY(merges.open(QIODevice::WriteOnly));
        merges.write("#version: 0.2\nc a\nca t</w>\n");
        merges.close();
        const SavedModel first = model();
        save_model(first, file), save_model(first, folder, {.layout = ModelLayout::Diffusers});
        // An adapter of one layer of the UNet, one of the text encoder, and one that nobody has.
        std::vector<std::vector<float>> values;
        std::vector<gpu::TensorEntry> entries;
        values.reserve(6);
        const auto add = [&](const std::string& name, const gpu::Shape& shape) {
            values.push_back(tests::draw(gpu::element_count(shape), static_cast<double>(values.size())));
            entries.push_back({.name = name, .dtype = gpu::Dtype::F32, .shape = shape, .bytes = std::as_bytes(std::span(values.back()))});
        };
        for (const auto& [module, width] : {std::pair<std::string, int>("lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q", 16),
                                            {"lora_te_text_model_encoder_layers_1_self_attn_q_proj", 64}, {"lora_unet_nowhere", 4}})
            add(module + ".lora_up.weight", {width, 1}), add(module + ".lora_down.weight", {1, width});
        gpu::save_safetensors(adapter, entries);
        for (const std::string& path : {file, folder, folder + "/model_index.json"}) {
            const auto loaded = tests::run_node("model.load", {{"file", QString::fromStdString(path)}, {"tokenizer", dir.filePath("merges.txt")}});
            QVERIFY(loaded.get<Model>("model").info().prediction == PredictionType::V);
            QVERIFY(loaded.get<Vae>("vae")->can_decode());
            const auto adapted = tests::run_node("adapt.lora", {{"file", QString::fromStdString(adapter)}, {"strength_text", 0.5}},
                                                 {{"model", loaded.outputs.at("model")}, {"encoder", loaded.outputs.at("encoder")}});
            QCOMPARE(adapted.get<Model>("model").patches().size(), std::size_t(1));
            QCOMPARE(adapted.get<Encoder>("encoder").patches(0).size(), std::size_t(1));
            QCOMPARE(adapted.warnings.size(), std::size_t(1));
            QVERIFY(adapted.warnings[0].find("lora_unet_nowhere") != std::string::npos);
            const std::string name = "text_model.encoder.layers.1.self_attn.q_proj.weight";
            const Tensor weight = gpu::to_leaf(first.text[0].weights.at(name));
            const std::vector<float> change = gpu::to_floats(patched_weight(name, weight, adapted.get<Encoder>("encoder").patches(0)) - weight);
            QVERIFY(std::abs(change[65] - 0.5 * values[2][1] * values[3][1]) < 1e-6);
            // A part that the file is not.
            QVERIFY(tests::failure_of("adapt.lora_model", {{"file", QString::fromStdString(file)}}, {{"model", loaded.outputs.at("model")}}) == gpu::ErrorCode::BadFile);
        }
        QVERIFY(tests::failure_of("model.load", {{"file", QString::fromStdString(adapter)}}) == gpu::ErrorCode::BadFile);
        QVERIFY(tests::run_node("model.load_unet", {{"file", QString::fromStdString(file)}, {"prediction", "sample"}}).get<Model>("model").info().prediction == PredictionType::Sample);
    }
    // A UNet of SD 1.5 in F32, 3.4 GB of which no byte is on the disk.
    void opening_reads_next_to_nothing() {
        QTemporaryDir dir;
        const Scope scope = Scope::shapes();
        const UnetNetwork network(scope, published_unet("sd15"));
        QJsonObject header;
        qint64 at = 0;
        for (const Scope::Asked& asked : scope.asked()) {
            const qint64 bytes = gpu::element_count(asked.shape) * 4;
            QJsonArray shape;
            for (const auto size : asked.shape) shape.append(static_cast<qint64>(size));
            header[QString::fromStdString("model.diffusion_model." + asked.name)] = QJsonObject{{"dtype", "F32"}, {"shape", shape}, {"data_offsets", QJsonArray{at, at + bytes}}};
            at += bytes;
        }
        const QByteArray text = QJsonDocument(header).toJson(QJsonDocument::Compact);
        QFile file(dir.filePath("sparse.safetensors"));
        QVERIFY(file.open(QIODevice::WriteOnly));
        const quint64 length = static_cast<quint64>(text.size());
        file.write(reinterpret_cast<const char*>(&length), 8);
        file.write(text);
        QVERIFY(file.resize(8 + text.size() + at));
        file.close();
        QVERIFY(at > qint64(3) << 30);
        const auto resident = [] {      // pages of mapped files that are in memory, in kB
            QFile status("/proc/self/status");
            if (!status.open(QIODevice::ReadOnly)) return qint64(-1);
            for (const QByteArray& line : status.readAll().split('\n'))
                if (line.startsWith("RssFile:")) return line.mid(8).trimmed().split(' ')[0].toLongLong();
            return qint64(-1);
        };
        const qint64 before = resident();
        if (before < 0) QSKIP("needs /proc");
        QElapsedTimer timer;
        timer.start();
        const Model loaded = load_model(open_unet_source(dir.filePath("sparse.safetensors").toStdString()));
        QCOMPARE(loaded.info().family, std::string("sd1"));
        QVERIFY2(resident() - before < 64 * 1024, qPrintable(QString::number(resident() - before)));
        qInfo("opened in %lld ms, %lld kB of it read", static_cast<long long>(timer.elapsed()), static_cast<long long>(resident() - before));
    }
    void schedulers_of_folders_count() {
        ModelInfo info;
        apply_scheduler(info, {{"prediction_type", "v_prediction"}, {"beta_schedule", "linear"}, {"beta_start", 0.0001}, {"beta_end", 0.02}, {"rescale_betas_zero_snr", true}});
        QVERIFY(info.prediction == PredictionType::V && info.noise.rule == BetaRule::Linear && info.noise.zero_terminal_snr);
        QCOMPARE(info.noise.beta_end, 0.02);
    }
};

HEDDLE_TEST(model_files, ModelFilesTest)
#include "model_files.moc"
