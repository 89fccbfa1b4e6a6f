// CLIP's towers in both layouts against what PyTorch computed (tests/golden/clip/make_clip.py), with host kernels and without.
#include <QTemporaryDir>
#include <algorithm>
#include <cmath>
#include <filesystem>

#include "gpu/base/error.h"
#include "gpu/base/switches.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/conform/conform.h"
#include "nodes/models/clip/keys.h"
#include "nodes/models/clip/text.h"
#include "nodes/models/clip/vision.h"
#include "tests/support/compare.h"
#include "tests/support/error_of.h"
#include "tests/support/golden.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::message_of;
using tests::relative_error;

namespace {

const tests::Golden golden("clip");

gpu::Weights text_weights(const std::string& file, const std::string& prefix) {
    gpu::Weights weights;
    add_clip_text_weights(weights, gpu::open_checkpoint(file), prefix);
    return weights;
}

gpu::Tensor ids(const std::string& name) {
    const std::vector<float> values = gpu::to_floats(golden.expected("ids." + name));
    return gpu::tensor_i32(std::vector<std::int32_t>(values.begin(), values.end()), {1, 77});
}

// Saves weights under the names that they have, as a file would hold them.
void save(const std::string& path, const gpu::Weights& weights) {
    std::vector<gpu::TensorEntry> entries;
    for (const auto& [name, weight] : weights) {
        entries.push_back(weight.entry);
        entries.back().name = name;
    }
    gpu::save_safetensors(path, entries);
}

std::vector<float> floats(const gpu::Weight& weight) { return gpu::entry_floats(weight.entry); }

}  // namespace

class ClipTest : public QObject {
    Q_OBJECT
private slots:
    void agrees_with_pytorch_data() {
        QTest::addColumn<bool>("host");
        QTest::newRow("host") << true;
        QTest::newRow("shaders") << false;
    }
    void agrees_with_pytorch() {
        QFETCH(bool, host);
        const gpu::ScopedSwitch switched(&gpu::Switches::host, host);
        {
            const gpu::Weights weights = text_weights(golden.file("sd1.safetensors"), "cond_stage_model.");
            const ClipTextConfig config = read_clip_text_config(weights);
            QCOMPARE(config.layers, 3);
            QCOMPARE(config.eos, 522);
            QCOMPARE(config.projection, 0);
            const Scope scope = Scope::weights(weights);
            const ClipText model(scope, config);
            scope.finish("text encoder");
            const auto states = model.states(model.tokens(ids("padded_end")));
            const Tensor last = model.normed(states.back());
            QVERIFY(relative_error(last, golden.expected("small.last")) < 1e-5);
            QVERIFY(relative_error(states[2], golden.expected("small.penultimate")) < 1e-5);
            QVERIFY(relative_error(model.normed(states[2]), golden.expected("small.skipped")) < 1e-5);
            QVERIFY(relative_error(model.pooled(last, gpu::tensor_i32(std::vector<std::int32_t>{4}, {1})), golden.expected("small.pooled")) < 1e-5);
            QVERIFY_EXCEPTION_THROWN(model.projected(last), gpu::Error);
        }
        {
            const gpu::Weights weights = text_weights(golden.file("sdxl.safetensors"), "conditioner.embedders.1.");
            const ClipTextConfig config = read_clip_text_config(weights, {.activation = ClipActivation::Gelu});
            QCOMPARE(config.projection, 10);
            const Scope scope = Scope::weights(weights);
            const ClipText model(scope, config);
            scope.finish("text encoder");
            const auto states = model.states(model.tokens(ids("padded_zero")));
            const Tensor last = model.normed(states.back());
            QVERIFY(relative_error(last, golden.expected("large.last")) < 1e-5);
            QVERIFY(relative_error(states[3], golden.expected("large.penultimate")) < 1e-5);
            const Tensor pooled = model.pooled(last, gpu::tensor_i32(std::vector<std::int32_t>{4}, {1}));
            QVERIFY(relative_error(model.projected(pooled), golden.expected("large.projected")) < 1e-5);
        }
        gpu::Weights weights;
        add_clip_vision_weights(weights, gpu::open_checkpoint(golden.file("vision.safetensors")));
        const ClipVisionConfig config = read_clip_vision_config(weights, {.heads = 2, .activation = ClipActivation::Gelu});
        QCOMPARE(config.image, 16);
        const Scope scope = Scope::weights(weights);
        const ClipVision model(scope, config);
        scope.finish("vision tower");
        const auto states = model.states(golden.expected("vision.picture"));
        QVERIFY(relative_error(states[2], golden.expected("vision.penultimate")) < 1e-5);
        QVERIFY(relative_error(model.projected(model.pooled(states.back())), golden.expected("vision.projected")) < 1e-5);
        QVERIFY_EXCEPTION_THROWN(model.states(gpu::zeros({1, 3, 16, 20})), gpu::Error);
    }

    void finds_towers() {
        const gpu::Checkpoint file = gpu::open_checkpoint(golden.file("sdxl.safetensors"));
        const auto places = find_clip_text(std::span(&file, 1));
        QCOMPARE(places.size(), 2u);
        QCOMPARE(places[0].prefix, std::string("conditioner.embedders.0.transformer."));
        QVERIFY(places[0].layout == ClipLayout::Transformers && places[0].width == 8);
        QCOMPARE(places[1].prefix, std::string("conditioner.embedders.1.model."));
        QVERIFY(places[1].layout == ClipLayout::OpenClip && places[1].width == 12);
        QVERIFY(find_clip_vision(std::span(&file, 1)).empty());
        const std::string several = message_of([&] { text_weights(golden.file("sdxl.safetensors"), ""); });
        QVERIFY2(several.find("got towers below \"conditioner.embedders.0.transformer.\", \"conditioner") != std::string::npos, several.c_str());
        const std::string none = message_of([&] { text_weights(golden.file("expected.safetensors"), ""); });
        QVERIFY2(none.find("expected one text encoder of CLIP, got tensors such as") != std::string::npos, none.c_str());
    }

    // Every prefix, with and without the level text_model, gives the same names.
    void reads_all_prefixes() {
        const gpu::Weights plain = text_weights(golden.file("sd1.safetensors"), "");
        QTemporaryDir folder;
        const std::string path = folder.filePath("again.safetensors").toStdString();
        for (const std::string prefix : {"", "text_encoder.", "cond_stage_model.transformer.", "conditioner.embedders.0.transformer."})
            for (const bool level : {true, false}) {
                gpu::Weights renamed;
                for (const auto& [name, weight] : plain) renamed.emplace(prefix + (level ? name : name.substr(11)), weight);
                // What lies beside the tower: a buffer, a number, averages, other models.
                const gpu::Weight extra = plain.at("text_model.final_layer_norm.bias");
                for (const char* other : {"first_stage_model.encoder.conv_in.bias", "model_ema.decay", "logit_scale"}) renamed.emplace(other, extra);
                renamed.emplace(prefix + (level ? "text_model." : "") + "embeddings.position_ids", extra);
                save(path, renamed);
                const gpu::Weights again = text_weights(path, "");
                QCOMPARE(again.size(), plain.size());
                for (const auto& [name, weight] : plain) QVERIFY2(again.contains(name), name.c_str());
            }
    }

    void saves_and_reads_both_layouts() {
        const gpu::Weights large = text_weights(golden.file("sdxl.safetensors"), "conditioner.embedders.1.");
        QTemporaryDir folder;
        const std::string path = folder.filePath("saved.safetensors").toStdString();
        for (const ClipLayout layout : {ClipLayout::OpenClip, ClipLayout::Transformers}) {
            const gpu::Weights named = clip_text_file_weights(large, layout, "cond_stage_model.model.");
            QCOMPARE(named.contains("cond_stage_model.model.transformer.resblocks.3.attn.in_proj_weight"), layout == ClipLayout::OpenClip);
            QCOMPARE(named.contains("cond_stage_model.model.text_projection"), layout == ClipLayout::OpenClip);
            QCOMPARE(named.size(), layout == ClipLayout::OpenClip ? 5 + 4 * 12u : 5 + 4 * 16u);
            for (const auto& [name, weight] : named) QCOMPARE(name, weight.entry.name);
            save(path, named);
            const gpu::Weights again = text_weights(path, "cond_stage_model.");
            QCOMPARE(again.size(), large.size());
            for (const auto& [name, weight] : large) {
                QVERIFY(again.at(name).entry.shape == weight.entry.shape);
                QVERIFY2(floats(again.at(name)) == floats(weight), name.c_str());
            }
        }
        gpu::Weights lacking = large;
        lacking.erase("text_model.encoder.layers.1.self_attn.v_proj.bias");
        QVERIFY_EXCEPTION_THROWN(clip_text_file_weights(lacking, ClipLayout::OpenClip, ""), gpu::Error);
    }

    // Fused projections are views of the file.
    void splits_fused_projections() {
        const gpu::Checkpoint file = gpu::open_checkpoint(golden.file("sdxl.safetensors"));
        const gpu::TensorEntry& fused = *file.find("conditioner.embedders.1.model.transformer.resblocks.0.attn.in_proj_weight");
        const gpu::Weights weights = text_weights(golden.file("sdxl.safetensors"), "conditioner.embedders.1.");
        const gpu::Weight& keys = weights.at("text_model.encoder.layers.0.self_attn.k_proj.weight");
        const std::vector<float> all = gpu::entry_floats(fused), part = floats(keys);
        QVERIFY(std::equal(part.begin(), part.end(), all.begin() + 144) && part.size() == 144);
        QCOMPARE(keys.entry.bytes.size(), fused.bytes.size() / 3);

        // Blocks of 32 elements in a tower of width 32: rows are whole blocks.
        constexpr int width = 32;
        std::vector<float> values(3 * width * width);
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(static_cast<int>(i * 37 % 255) - 127) / 127;
        const std::vector<std::byte> blocks = gpu::pack(gpu::BlockFormat::Q8_0, values);
        const gpu::TensorEntry entry{.name = "transformer.resblocks.0.attn.in_proj_weight", .shape = {3 * width, width}, .bytes = blocks, .blocks = gpu::BlockFormat::Q8_0};
        const float zero[1] = {0};
        std::vector<gpu::TensorEntry> entries{entry};
        for (const char* name : {"token_embedding.weight", "transformer.resblocks.0.ln_1.weight"})
            entries.push_back({.name = name, .shape = {1}, .bytes = std::as_bytes(std::span(zero))});
        QTemporaryDir folder;
        const std::string path = folder.filePath("blocks.gguf").toStdString();
        gpu::save_gguf(path, entries);
        const gpu::Weights split = text_weights(path, "");
        const gpu::Weight& third = split.at("text_model.encoder.layers.0.self_attn.v_proj.weight");
        QVERIFY(third.entry.blocks == gpu::BlockFormat::Q8_0);
        const std::vector<float> got = floats(third), want = gpu::entry_floats(entry);
        QCOMPARE(got.size(), std::size_t{width * width});
        QVERIFY(std::equal(got.begin(), got.end(), want.end() - width * width));
    }

    void names_what_does_not_fit() {
        gpu::Weights weights = text_weights(golden.file("sd1.safetensors"), "");
        weights.erase("text_model.final_layer_norm.bias");
        const auto extra = weights.at("text_model.final_layer_norm.weight");
        weights.emplace("text_model.encoder.layers.0.self_attn.rope", extra);
        const Scope scope = Scope::weights(weights);
        const ClipText model(scope, read_clip_text_config(weights));
        const std::string message = message_of([&] { scope.finish("text encoder"); });
        QVERIFY2(message.find("1 missing: text_model.final_layer_norm.bias") != std::string::npos, message.c_str());
        QVERIFY2(message.find("1 unexpected: text_model.encoder.layers.0.self_attn.rope") != std::string::npos, message.c_str());
        QVERIFY_EXCEPTION_THROWN(read_clip_text_config({}), gpu::Error);
        QVERIFY_EXCEPTION_THROWN(read_clip_vision_config(weights), gpu::Error);
        QVERIFY_EXCEPTION_THROWN(model.states(gpu::zeros({1, 78, 8})), gpu::Error);
    }

    // A gray picture gives the same numbers everywhere but in the border that padding adds.
    void prepares_pixels() {
        const Tensor gray = gpu::full({1, 3, 30, 60}, 0.5);
        const float first = static_cast<float>((0.5 - 0.48145466) / 0.26862954);
        for (const VisionFit fit : {VisionFit::Crop, VisionFit::Stretch, VisionFit::Pad}) {
            const Tensor made = clip_pixels(gray, 16, fit);
            QCOMPARE(made.shape(), (gpu::Shape{1, 3, 16, 16}));
            const std::vector<float> values = gpu::to_floats(made);
            for (int y = 0; y < 16; ++y) {
                const bool border = fit == VisionFit::Pad && (y < 4 || y >= 12);
                QVERIFY(std::abs(values[static_cast<std::size_t>(y * 16 + 7)] - (border ? 0 : first)) < 1e-5F);
            }
        }
        // The middle is taken: a picture that is bright on its left half keeps half of it.
        const Tensor halves = gpu::concat({gpu::ones({1, 3, 20, 20}), gpu::zeros({1, 3, 20, 20})}, 3);
        const std::vector<float> cut = gpu::to_floats(clip_pixels(halves, 20));
        QVERIFY(cut[9] > 0 && cut[10] < 0);
    }

    void conforms_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"clip-text", "clip-vision"}) QTest::newRow(name) << name;
    }
    void conforms() {
        QFETCH(QString, name);
        const std::string folder = tests::shared_dir() + "/conformance/" + name.toStdString();
        if (tests::shared_dir().empty() || !std::filesystem::exists(folder)) QSKIP(qPrintable("shared/conformance/" + name + " is not there"));
        for (const ConformRow& row : run_conform_case(load_conform_case(folder)).rows)
            QVERIFY2(row.rel_l2 < 1e-5, qPrintable(QString("%1: relative L2 %2").arg(row.output.c_str()).arg(row.rel_l2)));
    }
};

HEDDLE_TEST(clip, ClipTest)
#include "clip.moc"
