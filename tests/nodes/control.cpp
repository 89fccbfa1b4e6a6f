// Side networks: T2I-Adapters against what PyTorch computed (tests/golden/unet/make_unet.py), the forms and layouts of ControlNets
// against one another, strengths, time ranges, guess mode, and the nodes.
#include <QTemporaryDir>

#include "gpu/base/error.h"
#include "gpu/graph/autocast.h"
#include "gpu/run/evaluate.h"
#include "nodes/models/controlnet/controlnet.h"
#include "nodes/models/diffusion/predict.h"
#include "nodes/models/t2i_adapter/t2i_adapter.h"
#include "nodes/models/unet/keys.h"
#include "nodes/types/conditioning.h"
#include "nodes/types/image.h"
#include "tests/support/compare.h"
#include "tests/support/error_of.h"
#include "tests/support/named_weights.h"
#include "tests/support/node_run.h"
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

gpu::Weights unet_weights() {
    const Scope scope = Scope::shapes();
    const UnetNetwork network(scope, config());
    return tests::named_weights(scope);
}

Model model() { return Model(make_unet(unet_weights(), config(), unet_info(config()))); }

// Names and shapes of a ControlNet of that UNet, with a narrow hint encoder.
std::map<std::string, gpu::Shape> branch_shapes() {
    std::map<std::string, gpu::Shape> shapes;
    for (const auto& [name, weight] : unet_weights())
        if (!name.starts_with("output_blocks.") && !name.starts_with("out.")) shapes[name] = weight.entry.shape;
    const auto conv = [&](const std::string& name, std::int64_t out, std::int64_t in, std::int64_t kernel) {
        shapes[name + ".weight"] = {out, in, kernel, kernel}, shapes[name + ".bias"] = {out};
    };
    std::int64_t width = 3;
    for (int i = 0; const std::int64_t next : {4, 4, 6, 6, 8, 8, 12, 16}) conv("input_hint_block." + std::to_string(2 * i++), next, width, 3), width = next;
    for (int i = 0; const std::int64_t next : {16, 16, 16, 16, 32, 32}) conv(gpu::format("zero_convs.{}.0", i++), next, next, 1);
    conv("middle_block_out.0", 32, 32, 1);
    return shapes;
}

gpu::Weights branch_weights() {
    gpu::Weights weights;
    for (const auto& [name, shape] : branch_shapes()) weights.emplace(name, named_weight("control." + name, shape));
    return weights;
}

// Saves tensors under new names.
std::string saved(const QTemporaryDir& folder, const std::string& file, const std::map<std::string, Tensor>& tensors) {
    std::vector<std::vector<std::byte>> bytes;
    std::vector<gpu::TensorEntry> entries;
    bytes.reserve(tensors.size());
    for (const auto& [name, tensor] : tensors) {
        auto& one = bytes.emplace_back(tensor_bytes(tensor));
        gpu::read(tensor, one);
        entries.push_back({.name = name, .dtype = tensor.dtype(), .shape = tensor.shape(), .bytes = one});
    }
    const std::string path = folder.filePath(QString::fromStdString(file)).toStdString();
    gpu::save_safetensors(path, entries);
    return path;
}

DenoiserInput input() {
    return {.latent = draw_tensor({2, 4, 8, 6}, 1), .timestep = gpu::tensor({40, 40}), .context = draw_tensor({2, 5, 12}, 2), .negative = {false, true}};
}

Tensor hint() { return draw_tensor({1, 3, 64, 48}, 4) * 0.5 + 0.5; }

std::vector<float> output(const Model& model, const Patches& patches = {}, const DenoiserInput& given = input()) {
    return gpu::to_floats((*model.with(patches).denoiser())(given));
}

std::vector<float> row(const std::vector<float>& rows, std::size_t which) {
    const auto length = static_cast<std::ptrdiff_t>(rows.size() / 2);
    return {rows.begin() + static_cast<std::ptrdiff_t>(which) * length, rows.begin() + static_cast<std::ptrdiff_t>(which + 1) * length};
}

gpu::Weights adapter_weights(const std::string& kind) {
    gpu::Weights weights;
    const auto conv = [&](const std::string& name, std::int64_t out, std::int64_t in, std::int64_t kernel) {
        weights.emplace(name + ".weight", named_weight(name + ".weight", {out, in, kernel, kernel}));
        weights.emplace(name + ".bias", named_weight(name + ".bias", {out}));
    };
    const std::vector<std::int64_t> widths{8, 16, 32, 32};
    std::int64_t width = kind == "xl" ? 768 : 192;
    if (kind != "light") conv("conv_in", widths[0], width, 3), width = widths[0];
    for (std::size_t level = 0; level < 4; ++level) {
        const std::int64_t own = widths[level];
        if (kind == "light") {
            const std::string body = gpu::format("body.{}", level);
            conv(body + ".in_conv", own / 4, width, 1);
            for (int i = 0; i < 2; ++i)
                for (const char* block : {"block1", "block2"}) conv(gpu::format("{}.body.{}.{}", body, i, block), own / 4, own / 4, 3);
            conv(body + ".out_conv", own, own / 4, 1);
        } else {
            for (int i = 0; i < 2; ++i) {
                const std::string body = gpu::format("body.{}", 2 * level + static_cast<std::size_t>(i));
                if (i == 0 && own != width) conv(body + ".in_conv", own, width, 1);
                conv(body + ".block1", own, own, 3), conv(body + ".block2", own, own, 1);
            }
        }
        width = own;
    }
    return weights;
}

}  // namespace

class ControlTest : public QObject {
    Q_OBJECT
private slots:
    void adapters_agree_with_pytorch_data() {
        QTest::addColumn<QString>("kind");
        for (const char* kind : {"full", "xl", "light"}) QTest::newRow(kind) << kind;
    }
    void adapters_agree_with_pytorch() {
        QFETCH(QString, kind);
        const std::string name = kind.toStdString();
        const Scope scope = Scope::weights(adapter_weights(name));
        const T2iAdapter adapter(scope);
        scope.finish(name);
        QCOMPARE(adapter.unshuffle(), name == "xl" ? 16 : 8);
        Residuals added = adapter(draw_tensor({1, 3, 128, 64}, 5) * 0.5 + 0.5);
        std::vector<int> blocks;
        std::vector<Tensor> maps;
        for (const auto& [block, map] : added.features) blocks.push_back(block), maps.push_back(map);
        if (added.middle) blocks.push_back(-1), maps.push_back(added.middle);
        QCOMPARE(blocks, (name == "xl" ? std::vector<int>{3, 5, 8, -1} : std::vector<int>{2, 5, 8, 11}));
        const gpu::Checkpoint stored = gpu::open_checkpoint(HEDDLE_SOURCE_DIR "/tests/golden/unet/expected.safetensors");
        for (std::size_t level = 0; level < 4; ++level) {
            const double error = relative_error(gpu::to_floats(maps[level]), gpu::entry_floats(*stored.find(gpu::format("adapter_{}.{}", name, level))));
            QVERIFY2(error < 1e-5, qPrintable(QString("level %1: %2").arg(level).arg(error)));
        }
    }
    void adapters_load_in_both_layouts_data() { adapters_agree_with_pytorch_data(); }
    void adapters_load_in_both_layouts() {
        QFETCH(QString, kind);
        const bool light = kind == "light";
        std::map<std::string, Tensor> original, diffusers;
        for (const auto& [name, weight] : adapter_weights(kind.toStdString())) {
            original[name] = gpu::to_leaf(weight);
            std::string theirs = "adapter." + name;      // body.2.block1 -> body.1.resnets.0.block1
            if (name.starts_with("body.") && (!light || name.find(".body.") != std::string::npos)) {
                const int at = name[5] - '0';
                const std::string rest = name.substr(7);
                theirs = light                        ? gpu::format("adapter.body.{}.resnets.{}", at, rest.substr(5))
                         : rest.starts_with("in_conv") ? gpu::format("adapter.body.{}.{}", at / 2, rest)
                                                       : gpu::format("adapter.body.{}.resnets.{}.{}", at / 2, at % 2, rest);
            }
            diffusers[theirs] = original[name];
        }
        const QTemporaryDir folder;
        const DenoiserInput call{.latent = draw_tensor({1, 4, 16, 8}, 1), .timestep = gpu::tensor({1}), .context = draw_tensor({1, 5, 12}, 2)};
        std::vector<std::vector<float>> results;
        for (const std::string& path : {saved(folder, "a.safetensors", original), saved(folder, "b.safetensors", diffusers)}) {
            const Control control = load_control(path);
            QVERIFY(control->summary().starts_with("T2I-Adapter"));
            const PatchRef patch = control->patch(draw_tensor({1, 3, 50, 50}, 7), {.strength = 0.5});
            const Residuals added = dynamic_cast<const ResidualPatch&>(*patch).residuals(call);
            results.push_back(gpu::to_floats(added.features.at(5)));
        }
        QCOMPARE(results[0], results[1]);
    }

    // Whole in three layouts, as a difference and as a Control-LoRA of full rank: one network.
    void all_forms_are_one_network() {
        const gpu::Weights base = unet_weights();
        std::map<std::string, Tensor> bare, prefixed, both, diffusers, difference, lora;
        const UnetNames names{UnetLayout(config())};
        for (const auto& [name, weight] : branch_weights()) {
            const Tensor own = gpu::to_leaf(weight);
            bare[name] = prefixed["control_model." + name] = both["control_model." + name] = own;
            std::string theirs = names.diffusers(name);
            if (name.starts_with("zero_convs.")) theirs = gpu::format("controlnet_down_blocks.{}{}", name[11], name.substr(14));
            if (name.starts_with("middle_block_out.")) theirs = "controlnet_mid_block" + name.substr(18);
            if (name.starts_with("input_hint_block.")) {
                const auto dot = name.find('.', 17);
                const int layer = std::stoi(name.substr(17, dot - 17)) / 2;
                theirs = (layer == 0 ? "controlnet_cond_embedding.conv_in" : layer == 7 ? "controlnet_cond_embedding.conv_out" : gpu::format("controlnet_cond_embedding.blocks.{}", layer - 1)) + name.substr(dot);
            }
            QVERIFY2(!theirs.empty(), name.c_str());
            diffusers[theirs] = own;
            const auto of_base = base.find(name);
            const bool shared = of_base != base.end();
            difference["control_model." + name] = shared ? own - gpu::to_leaf(of_base->second) : own;
            if (shared && own.rank() >= 2) {
                const Tensor delta = own - gpu::to_leaf(of_base->second);
                const Tensor flat = gpu::reshape(delta, {delta.size(0), -1});
                const std::string layer = name.substr(0, name.size() - 7);
                lora[layer + ".up"] = gpu::reshape(gpu::tensor(identity(delta.size(0)), {delta.size(0), delta.size(0)}), own.rank() == 4 ? gpu::Shape{delta.size(0), delta.size(0), 1, 1} : gpu::Shape{delta.size(0), delta.size(0)});
                lora[layer + ".down"] = own.rank() == 4 ? delta : flat;
            } else {
                lora[name] = own;
            }
        }
        for (const auto& [name, weight] : base) both["model.diffusion_model." + name] = gpu::to_leaf(weight);
        difference["difference"] = lora["lora_controlnet"] = gpu::zeros({0});
        const QTemporaryDir folder;
        const Model steered = model();
        std::vector<float> first;
        for (const auto& [file, tensors, tolerance] : {std::tuple("bare", &bare, 0.0), std::tuple("prefixed", &prefixed, 0.0), std::tuple("both", &both, 0.0),
                                                       std::tuple("diffusers", &diffusers, 0.0), std::tuple("difference", &difference, 1e-5), std::tuple("lora", &lora, 1e-5)}) {
            const Control control = load_control(saved(folder, std::string(file) + ".safetensors", *tensors));
            const std::vector<float> own = output(steered, {control->patch(hint(), {})});
            if (first.empty()) first = own;
            const double error = relative_error(own, first);
            QVERIFY2(error <= tolerance, qPrintable(QString("%1: %2").arg(file).arg(error)));
        }
        QVERIFY(relative_error(first, output(steered)) > 1e-2);
        // Without the model that it changes, a difference is nothing.
        const Control control = load_control(folder.filePath("difference.safetensors").toStdString());
        const auto patch = control->patch(hint(), {});
        const std::string said = message_of([&] { dynamic_cast<const ResidualPatch&>(*patch).residuals(input()); });
        QVERIFY2(said.find("expected the model that this difference changes") != std::string::npos, said.c_str());
    }

    void strength_range_and_rows() {
        const auto net = std::make_shared<const ControlNet>(branch_weights(), ControlForm::Whole, UnetHints{.groups = 8}, "test");
        const Model steered = model();
        const std::vector<float> plain = output(steered), full = output(steered, {net->patch(hint(), {})});
        QCOMPARE(output(steered, {net->patch(hint(), {.strength = 0})}), plain);
        // Two halves are a whole.
        QVERIFY(relative_error(output(steered, {net->patch(hint(), {.strength = 0.5}), net->patch(hint(), {.strength = 0.5})}), full) < 1e-5);
        DenoiserInput late = input();
        late.at.progress = 0.6;
        QCOMPARE(output(steered, {net->patch(hint(), {.end = 0.5})}, late), plain);
        QCOMPARE(output(steered, {net->patch(hint(), {.start = 0.7})}, late), plain);
        QCOMPARE(output(steered, {net->patch(hint(), {.start = 0.5, .end = 0.7})}, late), full);
        late.at.progress = 1;
        QCOMPARE(output(steered, {net->patch(hint(), {.start = 0.5})}, late), full);
        // Guess mode leaves the negative row alone and steers the other one less.
        const std::vector<float> guess = output(steered, {net->patch(hint(), {.guess = true})});
        QVERIFY(relative_error(row(guess, 1), row(plain, 1)) < 1e-6);
        QVERIFY(relative_error(row(guess, 0), row(plain, 0)) > 1e-3);
        QVERIFY(relative_error(row(guess, 0), row(full, 0)) > 1e-3);
        // Rows of both kinds in turn: the same by masking.
        const Tensor rows = gpu::tensor_i32(std::vector<std::int32_t>{0, 1, 0}, {3});
        DenoiserInput mixed = input();
        for (Tensor* tensor : {&mixed.latent, &mixed.timestep, &mixed.context}) *tensor = gpu::take(*tensor, rows, 0);
        mixed.negative = {false, true, false};
        const std::vector<float> in_turn = output(steered, {net->patch(hint(), {.guess = true})}, mixed);
        QVERIFY(relative_error(std::vector<float>(in_turn.begin(), in_turn.begin() + static_cast<std::ptrdiff_t>(guess.size())), guess) < 1e-5);
        // Pooled residuals are the same in every cell.
        const auto pooled = net->patch(hint(), {.pooled = true});
        const Residuals added = dynamic_cast<const ResidualPatch&>(*pooled->bound(steered.base())).residuals(input());
        QCOMPARE(added.skips.at(0).shape(), (gpu::Shape{2, 16, 1, 1}));
    }

    // Whoever asks first, what a side network makes of its picture is F32 and serves networks of any activations.
    void networks_of_16_bits_are_steered_alike() {
        const auto net = std::make_shared<const ControlNet>(branch_weights(), ControlForm::Whole, UnetHints{.groups = 8}, "test");
        const QTemporaryDir folder;
        std::map<std::string, Tensor> tensors;
        for (const auto& [name, weight] : adapter_weights("full")) tensors[name] = gpu::to_leaf(weight);
        const Control adapter = load_control(saved(folder, "a.safetensors", tensors));
        for (const ControlOptions& options : {ControlOptions{.guess = true}, ControlOptions{.pooled = true}, ControlOptions{}}) {
            const std::vector<float> wanted = output(model(), {net->patch(hint(), options)});
            QVERIFY(relative_error(wanted, output(model())) > 1e-3);
            const Model steered = model().with(net->patch(hint(), options));      // with one network, whatever its activations
            const auto given = [](const Model& model) { return gpu::to_floats((*model.denoiser())(input())); };
            const double narrow = relative_error(given(steered.with_activations(Activations::F16)), wanted);
            QVERIFY2(narrow > 1e-5 && narrow < 5e-3, qPrintable(QString::number(narrow)));
            QCOMPARE(given(steered), wanted);
        }
        const auto residuals = [&](const PatchRef& patch) { return dynamic_cast<const ResidualPatch&>(*patch).residuals(input()).features.at(2); };
        const PatchRef patch = adapter->patch(hint(), {}), fresh = adapter->patch(hint(), {});
        {
            const gpu::Autocast autocast(gpu::Dtype::F16);
            QCOMPARE(residuals(patch).dtype(), gpu::Dtype::F32);
        }
        QCOMPARE(gpu::to_floats(residuals(patch)), gpu::to_floats(residuals(fresh)));
    }

    // A call that shows parts of the picture: each row gets its own part of the hint.
    void parts_of_a_picture_get_their_part_of_the_hint() {
        const auto net = std::make_shared<const ControlNet>(branch_weights(), ControlForm::Whole, UnetHints{.groups = 8}, "test");
        const auto patch = net->patch(hint(), {})->bound(model().base());      // 64 x 48 pixels: 8 x 6 cells
        const ControlNetBranch branch(Scope::weights(branch_weights()), [] {
            UnetConfig own = config();
            own.out_channels = 0;
            return own;
        }());
        DenoiserInput call = input();
        for (Tensor* tensor : {&call.latent}) *tensor = gpu::slice(gpu::slice(*tensor, 2, 0, 4), 3, 0, 4);
        call.negative.clear();
        call.regions = {{0, 2, 8, 6}, {3, 0, 8, 6}};
        const Residuals both = dynamic_cast<const ResidualPatch&>(*patch).residuals(call);
        const Tensor encoded = branch.hint()(hint());
        const Tensor first = gpu::slice(gpu::slice(encoded, 2, 0, 4), 3, 2, 6), second = gpu::slice(gpu::slice(encoded, 2, 3, 7), 3, 0, 4);
        const Residuals wanted = branch(call, gpu::concat({first, second}, 0));
        QVERIFY(relative_error(gpu::to_floats(both.middle), gpu::to_floats(wanted.middle)) < 1e-5);
        call.regions = {{0, 2, 8, 6}, {0, 2, 8, 6}};
        const Residuals alike = dynamic_cast<const ResidualPatch&>(*patch).residuals(call);
        QVERIFY(relative_error(gpu::to_floats(alike.middle), gpu::to_floats(branch(call, first).middle)) < 1e-5);
        // Deeper levels of an adapter are cut at their own scale.
        const Tensor coarse = draw_tensor({1, 2, 4, 3}, 1);
        DenoiserInput one = call;
        one.regions = {{4, 2, 8, 6}, {4, 2, 8, 6}};
        QCOMPARE(gpu::to_floats(for_call(coarse, one, "test", 2)), gpu::to_floats(gpu::slice(gpu::slice(coarse, 2, 2, 4), 3, 1, 3)));
        QVERIFY_EXCEPTION_THROWN(for_call(draw_tensor({3, 2, 8, 6}, 1), one, "test"), gpu::Error);
    }

    // What a sampler makes of an area of the prompt: the network sees that part, with its part of the hint.
    void areas_of_a_prompt_are_steered_where_they_lie() {
        const auto net = std::make_shared<const ControlNet>(branch_weights(), ControlForm::Whole, UnetHints{.groups = 8}, "test");
        const Tensor x = draw_tensor({1, 4, 8, 6}, 1), context = draw_tensor({1, 5, 12}, 2);
        Conditioning prompt{{{.context = context, .area = Area{.x = 0.5, .y = 0.5, .width = 0.5, .height = 0.5}, .patches = {net->patch(hint(), {})}}}};
        const Model plain = model();
        const StepInfo at{.level = {.timestep = 40}};
        const Tensor whole = predict(plain, {&prompt}, x, {.at = at}).at(0);
        DenoiserInput call{.latent = gpu::slice(gpu::slice(x, 2, 4, 8), 3, 3, 6), .timestep = gpu::tensor({40}), .context = context, .at = at, .regions = {{4, 3, 8, 6}}};
        const std::vector<float> wanted = gpu::to_floats((*plain.denoiser(prompt.entries[0].patches))(call));
        QVERIFY(relative_error(gpu::to_floats(gpu::slice(gpu::slice(whole, 2, 4, 8), 3, 3, 6)), wanted) < 1e-5);
        call.regions = {{0, 0, 8, 6}};
        QVERIFY(relative_error(gpu::to_floats((*plain.denoiser(prompt.entries[0].patches))(call)), wanted) > 1e-4);
    }

    void every_step_after_the_first_replays() {
        const auto net = std::make_shared<const ControlNet>(branch_weights(), ControlForm::Whole, UnetHints{.groups = 8}, "test");
        const auto denoiser = model().with(net->patch(hint(), {})).denoiser();
        DenoiserInput call = input();
        std::vector<gpu::EvaluationCounters> after;
        for (int step = 0; step < 6; ++step) {
            call.timestep = gpu::tensor({float(step), float(step)});
            call.at.step = step;
            gpu::evaluate({(*denoiser)(call)});
            after.push_back(gpu::evaluation_counters());
        }
        QCOMPARE(after.back().plans_made, after.front().plans_made);
        QCOMPARE(after.back().recordings, after[2].recordings);      // results come to lie where earlier ones lay
    }

    void nodes_patch_models_and_prompts() {
        const QTemporaryDir folder;
        std::map<std::string, Tensor> tensors;
        for (const auto& [name, weight] : branch_weights()) tensors[name] = gpu::to_leaf(weight);
        const QString path = QString::fromStdString(saved(folder, "scribble.safetensors", tensors));
        const tests::NodeRun loaded = tests::run_node("control.load", {{"file", path}});
        QVERIFY(loaded.get<Control>("control")->summary().starts_with("ControlNet scribble"));
        const Model plain = model();
        const std::map<std::string, Value> inputs{{"control", loaded.outputs.at("control")}, {"image", Value::of(make_image(hint()))}};
        auto with_model = inputs, with_prompt = inputs;
        with_model.emplace("model", Value::of(plain));
        const Model steered = tests::run_node("control.apply", {{"strength", 0.5}}, with_model).get<Model>("model");
        QCOMPARE(steered.patches().size(), 1u);
        QVERIFY(relative_error(output(steered), output(plain)) > 1e-3);
        with_prompt.emplace("conditioning", Value::of(Conditioning{{{.context = draw_tensor({1, 5, 12}, 2)}}}));
        const Conditioning prompt = tests::run_node("control.condition", {{"strength", 0.5}}, with_prompt).get<Conditioning>("conditioning");
        QCOMPARE(prompt.entries.at(0).patches.size(), 1u);
        QCOMPARE(gpu::to_floats((*plain.denoiser(prompt.entries[0].patches))(input())), output(steered));
        QCOMPARE(tests::failure_of("control.apply", {{"start", 0.8}, {"end", 0.2}}, with_model), std::optional(gpu::ErrorCode::InvalidGraph));
    }

    void refuses_what_is_none() {
        const QTemporaryDir folder;
        std::map<std::string, Tensor> unet;
        for (const auto& [name, weight] : unet_weights()) unet["model.diffusion_model." + name] = gpu::to_leaf(weight);
        const std::string path = saved(folder, "unet.safetensors", unet);
        std::string said = message_of([&] { load_control(path); });
        QVERIFY2(said.find("expected a ControlNet or a T2I-Adapter") != std::string::npos && said.find("got a UNet") != std::string::npos, said.c_str());
        QCOMPARE(tests::failure_of("control.load", {{"file", QString::fromStdString(path)}}), std::optional(gpu::ErrorCode::BadFile));
        // One of another family.
        gpu::Weights other;
        for (const auto& [name, weight] : branch_weights()) {
            gpu::Shape shape = weight.entry.shape;
            if (name.ends_with("attn2.to_k.weight") || name.ends_with("attn2.to_v.weight")) shape[1] = 20;
            other.emplace(name, named_weight(name, shape));
        }
        const auto net = std::make_shared<const ControlNet>(other, ControlForm::Whole, UnetHints{.groups = 8}, "other");
        said = message_of([&] { output(model(), {net->patch(hint(), {})}); });
        QVERIFY2(said.find("expected a ControlNet for small UNet") != std::string::npos && said.find("width 20") != std::string::npos, said.c_str());
        other.erase("zero_convs.3.0.bias");
        said = message_of([&] { ControlNet(other, ControlForm::Whole, UnetHints{.groups = 8}, "other"); });
        QVERIFY2(said.find("1 missing: zero_convs.3.0.bias") != std::string::npos, said.c_str());
    }

private:
    static std::vector<float> identity(std::int64_t n) {
        std::vector<float> values(static_cast<std::size_t>(n * n));
        for (std::int64_t i = 0; i < n; ++i) values[static_cast<std::size_t>(i * n + i)] = 1;
        return values;
    }
};

HEDDLE_TEST(control, ControlTest)
#include "control.moc"
