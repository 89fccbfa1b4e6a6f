// Files of the LoRA family: each form against a sum written out here, each spelling finds its layer, branches beside layers give what
// merged weights give, published files find a place for every key, and files for other models say what they are.
#include <QTemporaryDir>
#include <algorithm>
#include <cmath>

#include "gpu/base/error.h"
#include "gpu/run/evaluate.h"
#include "nodes/models/lora/patch.h"
#include "nodes/models/unet/keys.h"
#include "nodes/models/unet/unet.h"
#include "tests/support/compare.h"
#include "tests/support/error_of.h"
#include "tests/support/named_weights.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::message_of;
using tests::draw_tensor;
using tests::named_weight;
using tests::relative_error;

namespace {

UnetConfig config() {
    UnetConfig config;
    config.levels = {{16, 2, {1, 1}, {1, 1, 1}}, {32, 4, {1, 1}, {1, 1, 1}}};
    config.middle_heads = 4;
    config.context_width = 12;
    config.groups = 8;
    config.time_width = 64;
    return config;
}

gpu::Weights unet_weights(const UnetConfig& of = config()) {
    const Scope scope = Scope::shapes();
    const UnetNetwork network(scope, of);
    return tests::named_weights(scope);
}

// Names and shapes alone, one block of memory behind all of them.
gpu::Weights unet_shapes(const UnetConfig& of) {
    const Scope scope = Scope::shapes();
    const UnetNetwork network(scope, of);
    gpu::Weights weights;
    for (const Scope::Asked& asked : scope.asked()) weights.emplace(asked.name, gpu::Weight{{.name = asked.name, .shape = asked.shape}, nullptr, "shapes"});
    return weights;
}

gpu::Weights text_shapes(int layers, int width) {
    gpu::Weights weights;
    const auto add = [&](const std::string& name, gpu::Shape shape) { weights.emplace(name, gpu::Weight{{.name = name, .shape = std::move(shape)}, nullptr, "shapes"}); };
    for (int i = 0; i < layers; ++i) {
        const std::string layer = gpu::format("text_model.encoder.layers.{}.", i);
        for (const char* part : {"q_proj", "k_proj", "v_proj", "out_proj"}) {
            add(layer + "self_attn." + part + ".weight", {width, width});
            add(layer + "self_attn." + part + ".bias", {width});
        }
        add(layer + "mlp.fc1.weight", {4 * width, width}), add(layer + "mlp.fc2.weight", {width, 4 * width});
        add(layer + "layer_norm1.weight", {width});
    }
    return weights;
}

// A file in memory: names and shapes, values a formula of the names; alpha is what it is told to be.
gpu::Checkpoint file_of(const std::map<std::string, gpu::Shape>& shapes, double alpha = 3, std::map<std::string, std::string> metadata = {}) {
    gpu::CheckpointContent content{.path = "adapter.safetensors", .format = "safetensors", .metadata = std::move(metadata)};
    for (const auto& [name, shape] : shapes) {
        const auto values = std::make_shared<std::vector<float>>(
            name.ends_with(".alpha") ? std::vector<float>{static_cast<float>(alpha)}
                                     : tests::draw(gpu::element_count(shape), static_cast<double>(std::hash<std::string>()(name) % 1000)));
        content.entries.push_back({.name = name, .dtype = gpu::Dtype::F32, .shape = shape, .bytes = std::as_bytes(std::span(*values))});
        content.keep.push_back(values);
    }
    return gpu::Checkpoint(std::move(content));
}

std::shared_ptr<const LoraFile> lora_of(const gpu::Checkpoint& file) { return std::make_shared<const LoraFile>(read_lora(file)); }

using Matrix = std::vector<std::vector<double>>;

Matrix matrix(const LoraModule& module, const std::string& part) {
    const gpu::TensorEntry& entry = module.parts.at(part).entry;
    const std::vector<float> values = gpu::entry_floats(entry);
    const auto rows = static_cast<std::size_t>(entry.shape[0]), columns = values.size() / rows;
    Matrix m(rows, std::vector<double>(columns));
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t c = 0; c < columns; ++c) m[r][c] = values[r * columns + c];
    return m;
}

Matrix times(const Matrix& a, const Matrix& b) {
    Matrix m(a.size(), std::vector<double>(b[0].size()));
    for (std::size_t r = 0; r < a.size(); ++r)
        for (std::size_t c = 0; c < b[0].size(); ++c)
            for (std::size_t k = 0; k < b.size(); ++k) m[r][c] += a[r][k] * b[k][c];
    return m;
}

// sum over i, j of t[i, j, k] a[i, p] b[j, r] -> [p, r k]
Matrix core(const Matrix& t, std::size_t j_count, const Matrix& a, const Matrix& b) {
    const std::size_t k_count = t[0].size() / j_count, p_count = a[0].size(), r_count = b[0].size();
    Matrix m(p_count, std::vector<double>(r_count * k_count));
    for (std::size_t i = 0; i < t.size(); ++i)
        for (std::size_t j = 0; j < j_count; ++j)
            for (std::size_t k = 0; k < k_count; ++k)
                for (std::size_t p = 0; p < p_count; ++p)
                    for (std::size_t r = 0; r < r_count; ++r) m[p][r * k_count + k] += t[i][j * k_count + k] * a[i][p] * b[j][r];
    return m;
}

Matrix turned(const Matrix& a) {
    Matrix m(a[0].size(), std::vector<double>(a.size()));
    for (std::size_t r = 0; r < a.size(); ++r)
        for (std::size_t c = 0; c < a[0].size(); ++c) m[c][r] = a[r][c];
    return m;
}

std::vector<float> flat(const Matrix& m, double by) {
    std::vector<float> values;
    for (const auto& row : m)
        for (const double value : row) values.push_back(static_cast<float>(value * by));
    return values;
}

}  // namespace

class LoraTest : public QObject {
    Q_OBJECT
private slots:
    void forms_add_what_their_papers_say() {
        // A convolution [6, 4, 3, 3] and a matrix [6, 4].
        const auto check = [](const std::map<std::string, gpu::Shape>& parts, const std::string& form, auto expected) {
            std::map<std::string, gpu::Shape> shapes;
            for (const auto& [part, shape] : parts) shapes["lora_unet_x." + part] = shape;
            const auto file = lora_of(file_of(shapes));
            QCOMPARE(file->modules.size(), std::size_t(1));
            const LoraModule& module = file->modules[0];
            QCOMPARE(module.form(), form);
            const std::vector<float> wanted = expected(module);
            const std::vector<float> got = gpu::to_floats(lora_matrix(module));
            QCOMPARE(module.matrix_shape(), std::pair(std::int64_t{6}, static_cast<std::int64_t>(wanted.size()) / 6));
            const double error = relative_error(got, wanted);
            QVERIFY2(error < 1e-6, qPrintable(QString("%1: %2").arg(form.c_str()).arg(error)));
        };
        check({{"lora_up.weight", {6, 2}}, {"lora_down.weight", {2, 4}}, {"alpha", {}}}, "LoRA",
              [](const LoraModule& m) { return flat(times(matrix(m, "up"), matrix(m, "down")), 3.0 / 2); });
        check({{"lora_up.weight", {6, 2}}, {"lora_down.weight", {2, 4}}}, "LoRA",
              [](const LoraModule& m) { return flat(times(matrix(m, "up"), matrix(m, "down")), 1); });
        check({{"lora_up.weight", {6, 2, 1, 1}}, {"lora_down.weight", {2, 4, 3, 3}}, {"alpha", {}}}, "LoCon",
              [](const LoraModule& m) { return flat(times(matrix(m, "up"), matrix(m, "down")), 3.0 / 2); });
        check({{"lora_up.weight", {6, 3, 1, 1}}, {"lora_down.weight", {2, 4, 1, 1}}, {"lora_mid.weight", {3, 2, 3, 3}}}, "LoCon",
              [](const LoraModule& m) { return flat(core(matrix(m, "mid"), 2, turned(matrix(m, "up")), matrix(m, "down")), 1); });
        check({{"hada_w1_a", {6, 2}}, {"hada_w1_b", {2, 36}}, {"hada_w2_a", {6, 2}}, {"hada_w2_b", {2, 36}}, {"alpha", {}}}, "LoHa", [](const LoraModule& m) {
            Matrix a = times(matrix(m, "hada_w1_a"), matrix(m, "hada_w1_b"));
            const Matrix b = times(matrix(m, "hada_w2_a"), matrix(m, "hada_w2_b"));
            for (std::size_t r = 0; r < a.size(); ++r)
                for (std::size_t c = 0; c < a[0].size(); ++c) a[r][c] *= b[r][c];
            return flat(a, 3.0 / 2);
        });
        check({{"hada_t1", {2, 2, 3, 3}}, {"hada_w1_a", {2, 6}}, {"hada_w1_b", {2, 4}}, {"hada_t2", {2, 2, 3, 3}}, {"hada_w2_a", {2, 6}}, {"hada_w2_b", {2, 4}}, {"alpha", {}}},
              "LoHa", [](const LoraModule& m) {
                  Matrix a = core(matrix(m, "hada_t1"), 2, matrix(m, "hada_w1_a"), matrix(m, "hada_w1_b"));
                  const Matrix b = core(matrix(m, "hada_t2"), 2, matrix(m, "hada_w2_a"), matrix(m, "hada_w2_b"));
                  for (std::size_t r = 0; r < a.size(); ++r)
                      for (std::size_t c = 0; c < a[0].size(); ++c) a[r][c] *= b[r][c];
                  return flat(a, 3.0 / 2);
              });
        const auto kron = [](const Matrix& a, const Matrix& b) {
            Matrix m(a.size() * b.size(), std::vector<double>(a[0].size() * b[0].size()));
            for (std::size_t i = 0; i < m.size(); ++i)
                for (std::size_t j = 0; j < m[0].size(); ++j) m[i][j] = a[i / b.size()][j / b[0].size()] * b[i % b.size()][j % b[0].size()];
            return m;
        };
        // Factors that are whole have no rank, and alpha no meaning.
        check({{"lokr_w1", {2, 2}}, {"lokr_w2", {3, 2, 3, 3}}, {"alpha", {}}}, "LoKr",
              [&](const LoraModule& m) { return flat(kron(matrix(m, "lokr_w1"), matrix(m, "lokr_w2")), 1); });
        check({{"lokr_w1", {2, 2}}, {"lokr_w2_a", {3, 4}}, {"lokr_w2_b", {4, 18}}, {"alpha", {}}}, "LoKr",
              [&](const LoraModule& m) { return flat(kron(matrix(m, "lokr_w1"), times(matrix(m, "lokr_w2_a"), matrix(m, "lokr_w2_b"))), 3.0 / 4); });
        check({{"lokr_w1_a", {2, 1}}, {"lokr_w1_b", {1, 2}}, {"lokr_t2", {2, 2, 3, 3}}, {"lokr_w2_a", {2, 3}}, {"lokr_w2_b", {2, 2}}, {"alpha", {}}}, "LoKr",
              [&](const LoraModule& m) {
                  return flat(kron(times(matrix(m, "lokr_w1_a"), matrix(m, "lokr_w1_b")), core(matrix(m, "lokr_t2"), 2, matrix(m, "lokr_w2_a"), matrix(m, "lokr_w2_b"))), 3.0 / 2);
              });
        check({{"diff", {6, 4, 3, 3}}}, "difference", [](const LoraModule& m) { return flat(matrix(m, "diff"), 1); });
    }

    void renormalised_weights_have_the_stored_magnitude() {
        for (const bool by_column : {false, true}) {
            const auto file = lora_of(file_of({{"unet.x.lora_up.weight", {6, 2, 1, 1}},
                                               {"unet.x.lora_down.weight", {2, 4, 3, 3}},
                                               {"unet.x.dora_scale", by_column ? gpu::Shape{1, 4, 1, 1} : gpu::Shape{6, 1, 1, 1}}}));
            const LoraModule& module = file->modules[0];
            QCOMPARE(module.form(), "DoRA");
            const Tensor weight = draw_tensor({6, 4, 3, 3}, 3);
            const std::vector<float> whole = gpu::to_floats(lora_weight(module, weight, 1)), half = gpu::to_floats(lora_weight(module, weight, 0.5)), before = gpu::to_floats(weight);
            const Matrix stored = matrix(module, "dora");
            for (std::size_t line = 0; line < (by_column ? 4u : 6u); ++line) {
                double norm = 0;
                for (std::size_t i = 0; i < whole.size(); ++i)
                    if ((by_column ? i / 9 % 4 : i / 36) == line) norm += double(whole[i]) * whole[i];
                const double magnitude = std::abs(by_column ? stored[0][line] : stored[line][0]);
                QVERIFY(std::abs(std::sqrt(norm) - magnitude) < 1e-5 * (1 + magnitude));
            }
            for (std::size_t i = 0; i < whole.size(); ++i) QVERIFY(std::abs(half[i] - (whole[i] + before[i]) / 2) < 1e-5);
        }
    }

    void every_spelling_finds_the_layer_data() {
        QTest::addColumn<QString>("key");
        QTest::addColumn<QString>("layer");
        const char* to_q = "input_blocks.4.1.transformer_blocks.0.attn1.to_q";
        const char* to_out = "input_blocks.4.1.transformer_blocks.0.attn1.to_out.0";
        QTest::newRow("kohya, diffusers' names") << "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q.lora_XX.weight" << to_q;
        QTest::newRow("kohya, ldm's names") << "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q.lora_XX.weight" << to_q;
        QTest::newRow("diffusers, processors") << "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora.XX.weight" << to_q;
        QTest::newRow("diffusers, processors, out") << "down_blocks.1.attentions.0.transformer_blocks.0.attn1.processor.to_out_lora.XX.weight" << to_out;
        QTest::newRow("diffusers, newer") << "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.lora.XX.weight" << to_q;
        QTest::newRow("PEFT") << "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0.lora_YY.weight" << to_out;
        QTest::newRow("PEFT, alone") << "base_model.model.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.lora_YY.weight" << to_q;
        QTest::newRow("PEFT, named") << "base_model.model.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.lora_YY.default.weight" << to_q;
        QTest::newRow("ldm, dotted") << "diffusion_model.input_blocks.4.1.transformer_blocks.0.attn1.to_q.lora_XX.weight" << to_q;
        QTest::newRow("LyCORIS") << "lycoris_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q.lora_XX.weight" << to_q;
        QTest::newRow("projection") << "lora_unet_mid_block_attentions_0_proj_in.lora_XX.weight" << "middle_block.1.proj_in";
        QTest::newRow("residual") << "lora_unet_up_blocks_1_resnets_2_conv_shortcut.lora_XX.weight" << "output_blocks.5.0.skip_connection";
        QTest::newRow("embedding of time") << "lora_unet_down_blocks_0_resnets_0_time_emb_proj.lora_XX.weight" << "input_blocks.1.0.emb_layers.1";
        QTest::newRow("downsampler") << "lora_unet_down_blocks_0_downsamplers_0_conv.lora_XX.weight" << "input_blocks.3.0.op";
        QTest::newRow("upsampler") << "lora_unet_up_blocks_0_upsamplers_0_conv.lora_XX.weight" << "output_blocks.2.2.conv";
        QTest::newRow("feed-forward") << "lora_unet_up_blocks_1_attentions_0_transformer_blocks_0_ff_net_0_proj.lora_XX.weight"
                                      << "output_blocks.3.1.transformer_blocks.0.ff.net.0.proj";
        QTest::newRow("time") << "lora_unet_time_embedding_linear_1.lora_XX.weight" << "time_embed.0";
    }
    void every_spelling_finds_the_layer() {
        QFETCH(QString, key);
        QFETCH(QString, layer);
        const gpu::Weights weights = unet_shapes(config());
        const gpu::Shape shape = weights.at(layer.toStdString() + ".weight").entry.shape;
        gpu::Shape down = shape;
        down[0] = 2;
        const auto named = [&](const char* kohya, const char* peft) { return QString(key).replace("XX", kohya).replace("YY", peft).toStdString(); };
        const auto file = lora_of(file_of({{named("up", "B"), {shape[0], 2}}, {named("down", "A"), down}}));
        const LoraNames names = LoraNames::unet(weights);
        const AppliedLora applied = apply_lora(file, &names, {}, {}, "pico");
        QCOMPARE(applied.used, std::size_t(1));
        QVERIFY(applied.unused.empty());
        QCOMPARE(applied.unet->changes().size(), std::size_t(1));
        QCOMPARE(applied.unet->changes().begin()->first, layer.toStdString() + ".weight");
    }

    void text_towers_are_told_apart() {
        const gpu::Weights first = text_shapes(2, 8), second = text_shapes(2, 16);
        const LoraNames one = LoraNames::text(first), two = LoraNames::text(second);
        const auto pair = [](std::map<std::string, gpu::Shape>& shapes, const std::string& module, std::int64_t rows, std::int64_t columns) {
            shapes[module + ".lora_up.weight"] = {rows, 2}, shapes[module + ".lora_down.weight"] = {2, columns};
        };
        std::map<std::string, gpu::Shape> shapes;
        pair(shapes, "lora_te1_text_model_encoder_layers_1_mlp_fc1", 32, 8);
        pair(shapes, "lora_te2_text_model_encoder_layers_0_self_attn_q_proj", 16, 16);
        pair(shapes, "text_encoder_2.text_model.encoder.layers.0.self_attn.out_proj", 16, 16);
        pair(shapes, "conditioner.embedders.1.model.transformer.resblocks.1.attn.in_proj", 48, 16);
        const AppliedLora applied = apply_lora(lora_of(file_of(shapes)), nullptr, {&one, &two}, {}, "sdxl");
        QVERIFY(applied.unused.empty());
        QCOMPARE(applied.text.size(), std::size_t(2));
        QCOMPARE(applied.text[0]->changes().size(), std::size_t(1));
        QCOMPARE(applied.text[1]->changes().size(), std::size_t(5));
        // The fused layer's rows: queries, keys, values.
        const auto fused = std::find_if(applied.text[1]->changes().begin(), applied.text[1]->changes().end(),
                                        [](const auto& change) { return change.first == "text_model.encoder.layers.1.self_attn.v_proj.weight"; });
        QVERIFY(fused != applied.text[1]->changes().end());
        const LoraModule& module = *fused->second[0].module;
        const std::vector<float> all = flat(times(matrix(module, "up"), matrix(module, "down")), 1);
        const std::vector<float> got = gpu::to_floats(applied.text[1]->apply(fused->first, gpu::zeros({16, 16})));
        QVERIFY(relative_error(got, std::vector<float>(all.begin() + 2 * 256, all.end())) < 1e-6);
    }

    void branches_give_what_merged_weights_give() {
        std::map<std::string, gpu::Shape> shapes;
        const gpu::Weights weights = unet_weights();
        for (const auto& [name, weight] : weights) {
            const gpu::Shape& shape = weight.entry.shape;
            if (!name.ends_with(".weight") || shape.size() < 2) continue;
            const std::string module = "diffusion_model." + name.substr(0, name.size() - 7);
            gpu::Shape down = shape;
            down[0] = 2;
            shapes[module + ".lora_up.weight"] = shape.size() == 4 ? gpu::Shape{shape[0], 2, 1, 1} : gpu::Shape{shape[0], 2};
            shapes[module + ".lora_down.weight"] = down;
        }
        const auto file = lora_of(file_of(shapes));
        const LoraNames names = LoraNames::unet(weights);
        const Model model(make_unet(weights, config(), unet_info(config())));
        const DenoiserInput input{.latent = draw_tensor({1, 4, 8, 6}, 1), .timestep = gpu::tensor({40}), .context = draw_tensor({1, 5, 12}, 2)};
        std::vector<std::vector<float>> results{gpu::to_floats((*model.denoiser())(input))};
        for (const bool live : {false, true}) {
            const AppliedLora applied = apply_lora(file, &names, {}, {.model = 0.02, .live = live}, "pico");
            QCOMPARE(applied.used, file->modules.size());
            results.push_back(gpu::to_floats((*model.with(applied.unet).denoiser())(input)));
        }
        const double moved = relative_error(results[1], results[0]), apart = relative_error(results[2], results[1]);
        QVERIFY2(moved > 0.01, qPrintable(QString::number(moved)));
        QVERIFY2(apart < 1e-4, qPrintable(QString::number(apart)));
    }

    void several_add_up_and_blocks_have_strengths() {
        const gpu::Weights weights = unet_weights();
        const LoraNames names = LoraNames::unet(weights);
        const std::string layer = "output_blocks.3.1.transformer_blocks.0.attn2.to_k";
        const auto file = lora_of(file_of({{"unet_x.lora_up.weight", {1, 1}}, {"diffusion_model." + layer + ".lora_up.weight", {16, 2}},
                                           {"diffusion_model." + layer + ".lora_down.weight", {2, 12}}, {"unet_x.lora_down.weight", {1, 1}}}));
        const std::string weight = layer + ".weight";
        const Tensor base = gpu::to_leaf(weights.at(weight));
        const auto change = [&](const LoraStrength& strength, int times) {
            const AppliedLora applied = apply_lora(file, &names, {}, strength, "pico");
            Patches patches(static_cast<std::size_t>(times), applied.unet);
            return gpu::to_floats(patched_weight(weight, base, patches) - base);
        };
        const std::vector<float> once = change({.model = 0.5}, 1), twice = change({.model = 0.25}, 2), block = change({.model = 1, .blocks = BlockStrengths("all=0 out3=0.5")}, 1);
        QVERIFY(relative_error(twice, once) < 1e-5);
        QVERIFY(relative_error(block, once) < 1e-5);
        for (const float value : change({.model = 1, .blocks = BlockStrengths("out=0")}, 1)) QCOMPARE(value, 0.0f);
        // What no layer answers to is named.
        QCOMPARE(apply_lora(file, &names, {}, {}, "pico").unused, std::vector<std::string>{"unet_x"});
    }

    void block_vectors_name_blocks() {
        std::string text = "0";
        for (int i = 1; i < 17; ++i) text += "," + std::to_string(i);
        const BlockStrengths sd(text);
        QCOMPARE(sd.base(), 0.0);
        QCOMPARE(sd.of("input_blocks.1.0.x"), 1.0);
        QCOMPARE(sd.of("input_blocks.8.1.x"), 6.0);
        QCOMPARE(sd.of("middle_block.1.x"), 7.0);
        QCOMPARE(sd.of("output_blocks.3.1.x"), 8.0);
        QCOMPARE(sd.of("output_blocks.11.1.x"), 16.0);
        QCOMPARE(sd.of("input_blocks.0.0.x"), 1.0);      // left out by the vector
        QCOMPARE(sd.of("time_embed.0.weight"), 0.0);
        QCOMPARE(BlockStrengths("1,2,3,4,5,6,7,8,9,10,11,12").of("output_blocks.5.1.x"), 12.0);
        QVERIFY(message_of([] { BlockStrengths("1,2,3"); }).find("got 3 numbers") != std::string::npos);
        QVERIFY(message_of([] { BlockStrengths("in=much"); }).find("in=much") != std::string::npos);
        QVERIFY(message_of([] { BlockStrengths("out20=1"); }).find("out20") != std::string::npos);
    }

    void files_for_other_models_say_what_they_are() {
        const LoraNames names = LoraNames::unet(unet_shapes(published_unet("sd15")));
        std::map<std::string, gpu::Shape> shapes;
        const std::string module = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k";
        shapes[module + ".lora_up.weight"] = {640, 4}, shapes[module + ".lora_down.weight"] = {4, 2048};
        const std::string said = message_of([&] { apply_lora(lora_of(file_of(shapes)), &names, {}, {}, "sd1"); });
        QVERIFY2(said.find("expected a LoRA for SD 1, got one for SDXL") != std::string::npos, said.c_str());
        shapes = {{"lora_unet_double_blocks_0_img_attn_qkv.lora_up.weight", {64, 4}}, {"lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight", {4, 64}}};
        QVERIFY(message_of([&] { apply_lora(lora_of(file_of(shapes)), &names, {}, {}, "sd1"); }).find("got one for Flux") != std::string::npos);
        QVERIFY(message_of([&] { read_lora(file_of({{"decoder.conv_in.weight", {4, 4}}})); }).find("expected keys of a LoRA") != std::string::npos);
        QVERIFY(!is_lora(file_of({{"decoder.conv_in.weight", {4, 4}}})));
        QVERIFY(message_of([&] { read_lora(file_of({{"unet.x.lora_up.weight", {6, 2}}, {"unet.x.lora_down.weight", {3, 4}}})).modules[0].matrix_shape(); })
                    .find("expected parts of one rank") != std::string::npos);
    }

    void replaced_weights_and_tokens_of_custom_diffusion_load() {
        const gpu::Weights weights = unet_weights();
        const LoraNames names = LoraNames::unet(weights);
        const std::string their = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.", ours = "input_blocks.1.1.transformer_blocks.0.attn2.";
        const auto original = lora_of(file_of({{"unet." + their + "to_k.weight", {16, 12}}, {"modifier_token.<new1>", {12}},
                                               {"unet." + their + "to_v.weight.u", {16, 1}}, {"unet." + their + "to_v.weight.v", {1, 12}}}));
        QCOMPARE(original->embeddings.size(), std::size_t(1));
        QVERIFY(original->embeddings.contains("<new1>"));
        const auto diffusers = lora_of(file_of({{their + "processor.to_k_custom_diffusion.weight", {16, 12}}, {their + "processor.to_out_custom_diffusion.0.bias", {16}}}));
        for (const auto& file : {original, diffusers}) {
            const AppliedLora applied = apply_lora(file, &names, {}, {}, "pico");
            QCOMPARE(applied.used, std::size_t(2));
            const Tensor weight = gpu::to_leaf(weights.at(ours + "to_k.weight"));
            const LoraModule& module = *applied.unet->changes().at(ours + "to_k.weight")[0].module;
            QVERIFY(relative_error(gpu::to_floats(applied.unet->apply(ours + "to_k.weight", weight)), flat(matrix(module, "set"), 1)) < 1e-6);
        }
    }

    // Files by cloneofsimo's tool, which count layers in place of naming them.
    void counted_files_find_every_layer() {
        if (tests::shared_dir().empty()) QSKIP("needs the shared folder");
        const gpu::Weights unet = unet_shapes(published_unet("sd15")), text = text_shapes(12, 768);
        const LoraNames names = LoraNames::unet(unet), tower = LoraNames::text(text);
        for (const char* name : {"analog_svd_rank4", "lora_disney"}) {
            const auto file = lora_of(gpu::open_checkpoint(tests::shared_dir() + "/real/lora/" + name + ".safetensors"));
            const AppliedLora applied = apply_lora(file, &names, {&tower}, {}, "sd1");
            QCOMPARE(applied.used, std::size_t(192));
            QCOMPARE(file->modules.size(), std::size_t(192));
            QVERIFY(applied.unused.empty());
            QCOMPARE(applied.unet->changes().size(), std::size_t(144));
            QCOMPARE(applied.text[0]->changes().size(), std::size_t(48));
            QCOMPARE(file->embeddings.size(), std::string(name) == "lora_disney" ? std::size_t(2) : std::size_t(0));
            // Between the two attentions of a layer stands the gate.
            QVERIFY(applied.unet->changes().at("input_blocks.1.1.transformer_blocks.0.ff.net.0.proj.weight")[0].module->name == "unet:4");
            QVERIFY(message_of([&] { apply_lora(file, nullptr, {}, {}, "sd1"); }) == "none");
        }
    }
};

HEDDLE_TEST(lora, LoraTest)
#include "lora.moc"
