// Networks that compute with 16 bits between their layers give what they give in F32, up to rounding, whatever is patched into them.
#include "nodes/types/activations.h"

#include <QTemporaryDir>

#include "gpu/base/switches.h"
#include "gpu/graph/autocast.h"
#include "gpu/graph/kernel.h"
#include "gpu/ops.h"
#include "gpu/plan/program.h"
#include "gpu/run/evaluate.h"
#include "gpu/vulkan/device.h"
#include "nodes/models/diffusion/attention_record.h"
#include "nodes/models/unet/unet.h"
#include "tests/support/compare.h"
#include "tests/support/named_weights.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using gpu::Dtype;
using tests::draw_tensor;
using tests::relative_error;
using tests::run_node;

namespace {

// Each rounding is off by up to 2^-11 (F16) or 2^-8 (BF16), and by a third of that in the mean. Some hundred of them on the way through a network add up as random
// walks do, to ten times as much: 1.3e-3 to 2.7e-3 and 1.1e-2 to 2.1e-2 is what the cases below come to.
constexpr double f16_error = 4e-3, bf16_error = 3e-2;

UnetConfig plain_config() {
    UnetConfig config;
    config.levels = {{16, 2, {1, 1}, {1, 1, 1}}, {32, 4, {1, 1}, {1, 1, 1}}, {64, 4, {0, 0}, {0, 0, 0}}};
    config.middle_heads = 4, config.context_width = 12, config.groups = 8, config.time_width = 64;
    return config;
}

// As SDXL: linear projections, pooled text and sizes.
UnetConfig large_config() {
    UnetConfig config;
    config.levels = {{16, 2, {0}, {0, 0}}, {32, 4, {2}, {2, 2}}};
    config.middle_depth = 3, config.middle_heads = 4, config.context_width = 12, config.groups = 8, config.time_width = 64;
    config.linear_projection = true;
    config.label_width = 10 + 5 * 6, config.pooled_width = 10, config.size_embedding = 6;
    return config;
}

DenoiserInput input(const UnetConfig& config) {
    DenoiserInput call{.latent = draw_tensor({2, 4, 9, 14}, 1), .timestep = gpu::tensor({3, 999}), .context = draw_tensor({2, 5, 12}, 2)};
    if (config.pooled_width > 0) call.pooled = draw_tensor({2, 10}, 3), call.size_ids = gpu::tensor(std::vector<float>{1024, 768, 0, 8, 1024, 320, 160, 10, 0, 2.5}, {2, 5});
    return call;
}

gpu::Weights weights_of(const UnetConfig& config, Dtype stored) {
    const Scope scope = Scope::shapes();
    const UnetNetwork network(scope, config);
    gpu::Weights weights = tests::named_weights(scope);
    for (auto& [name, weight] : weights) {
        if (stored == Dtype::F32) break;
        const auto bits = std::make_shared<std::vector<std::uint16_t>>();
        for (const float value : gpu::entry_floats(weight.entry)) bits->push_back(stored == Dtype::F16 ? gpu::float_to_f16(value) : gpu::float_to_bf16(value));
        weight.entry.bytes = std::as_bytes(std::span(*bits)), weight.entry.dtype = stored, weight.owner = bits;
    }
    return weights;
}

Model model_of(const UnetConfig& config, Dtype stored = Dtype::F32) { return Model(make_unet(weights_of(config, stored), config, unet_info(config))); }

Tensor output(const Model& model, const UnetConfig& config) { return (*model.denoiser())(input(config)); }

struct Spy final : BlockPatch, AttentionPatch {
    std::string summary() const override { return "spy"; }
    Tensor after(const BlockSite& site, const Tensor& h, const DenoiserInput&) const override { return see(site.name, {h}), h; }
    std::pair<Tensor, Tensor> join(const BlockSite& site, const Tensor& h, const Tensor& skip, const DenoiserInput&) const override {
        see(site.name, {h, skip});
        return {h, skip};
    }
    Tensor result(const AttentionSite& site, const AttentionCall& call, const Tensor& result) const override {
        see(site.name, {call.x, call.q, call.k, call.v, result});
        return result;
    }
    void see(const std::string& name, const gpu::Tensors& all) const {
        for (std::size_t i = 0; i < all.size(); ++i) types.emplace_back(gpu::format("{}, value {}", name, i), all[i].dtype());
    }
    mutable std::vector<std::pair<std::string, Dtype>> types;
};

// Patches that know nothing of activations and make F32.
struct Wide final : BlockPatch, AttentionPatch, ResidualPatch, WeightPatch {
    std::string summary() const override { return "wide"; }
    Tensor after(const BlockSite& site, const Tensor& h, const DenoiserInput&) const override { return site.name == "middle_block.1" ? h * gpu::full({1, 1, 1, 1}, 0.5) : h; }
    std::pair<Tensor, Tensor> join(const BlockSite&, const Tensor& h, const Tensor& skip, const DenoiserInput&) const override {
        return {h, skip * gpu::full({1, 1, 1, 1}, 0.5)};
    }
    Tensor result(const AttentionSite& site, const AttentionCall&, const Tensor& result) const override {
        return site.index == 3 ? result * gpu::full({1, 1, 1, 1}, 0.5) : result;
    }
    Residuals residuals(const DenoiserInput&) const override {
        return {.features = {{1, gpu::full({1, 16, 1, 1}, 0.5)}}, .skips = {{2, gpu::full({1, 16, 1, 1}, -0.5)}}, .middle = gpu::full({1, 64, 1, 1}, 0.5)};
    }
    bool touches(const std::string& name) const override { return name == "input_blocks.1.1.transformer_blocks.0.attn2.to_v.weight"; }
    Tensor apply(const std::string&, const Tensor& weight) const override { return weight * 1.5; }
    std::vector<gpu::Branch> branches(const std::string& name, const gpu::Shape& shape) const override {
        if (shape.size() != 4 || shape[2] != 3 || name.starts_with("out")) return {};
        return {{draw_tensor({2, shape[1], 3, 3}, 7) * 0.05, draw_tensor({shape[0], 2}, 8)}};
    }
};

template <typename T>
std::shared_ptr<const T> patch() { return std::make_shared<const T>(); }

}  // namespace

class ActivationsTest : public QObject {
    Q_OBJECT

    // Relative L2 of what the model gives with such activations to what it gives in F32.
    static void follows(const Model& model, const UnetConfig& config, Activations wanted, const char* what) {
        const Tensor wide = output(model, config), narrow = output(model.with_activations(wanted), config);
        QCOMPARE(narrow.dtype(), Dtype::F32);
        const double error = relative_error(narrow, wide);
        const double most = wanted == Activations::F16 ? f16_error : bf16_error;
        qInfo("%s: %g", what, error);
        QVERIFY2(error > most / 100 && error < most, qPrintable(QString("%1: %2").arg(what).arg(error)));
    }

private slots:
    void networks_follow_data() {
        QTest::addColumn<int>("wanted");
        QTest::addColumn<int>("stored");
        QTest::addColumn<bool>("large");
        QTest::addColumn<bool>("host");
        for (const auto& [title, wanted] : {std::pair("f16", Activations::F16), std::pair("bf16", Activations::BF16)})
            for (const auto& [weights, stored] : {std::pair("f32", Dtype::F32), std::pair("f16", Dtype::F16), std::pair("bf16", Dtype::BF16)})
                for (const bool large : {false, true})
                    for (const bool host : {true, false})
                        QTest::newRow(qPrintable(QString("%1,weights %2,%3,%4").arg(title, weights, large ? "large" : "plain", host ? "host" : "shaders")))
                            << static_cast<int>(wanted) << static_cast<int>(stored) << large << host;
    }
    void networks_follow() {
        QFETCH(int, wanted);
        QFETCH(int, stored);
        QFETCH(bool, large);
        QFETCH(bool, host);
        const gpu::ScopedSwitch kernels(&gpu::Switches::host, host);
        const UnetConfig config = large ? large_config() : plain_config();
        follows(model_of(config, static_cast<Dtype>(stored)), config, static_cast<Activations>(wanted), QTest::currentDataTag());
    }

    void nothing_between_the_layers_is_wide() {
        for (const UnetConfig& config : {plain_config(), large_config()})
            for (const auto& [wanted, type] : {std::pair(Activations::F16, Dtype::F16), std::pair(Activations::BF16, Dtype::BF16), std::pair(Activations::F32, Dtype::F32)}) {
                const auto spy = patch<Spy>();
                Model model = model_of(config).with_activations(wanted).with(PatchRef(spy));
                if (!config.linear_projection) model = model.with(patch<Wide>());      // is of the plain network's sizes
                QCOMPARE(output(model, config).dtype(), Dtype::F32);
                QVERIFY(spy->types.size() > 50);
                for (const auto& [place, seen] : spy->types) QVERIFY2(seen == type, place.c_str());
            }
    }

    void patches_that_make_f32_work() {
        const UnetConfig config = plain_config();
        const Model plain = model_of(config, Dtype::F16), model = plain.with(patch<Wide>());
        QVERIFY(relative_error(output(model, config), output(plain, config)) > 0.1);
        for (const Activations wanted : {Activations::F16, Activations::BF16}) follows(model, config, wanted, "wide patches");
    }

    void free_u_follows() {
        const UnetConfig config = plain_config();
        const Model model = run_node("adapt.freeu", {}, {{"model", Value::of<Model>(model_of(config))}}).get<Model>("model");
        QVERIFY(relative_error(output(model, config), output(model_of(config), config)) > 0.1);
        for (const Activations wanted : {Activations::F16, Activations::BF16}) follows(model, config, wanted, "FreeU");
        // Sums over a map's cells that are beyond F16.
        const auto& patch = dynamic_cast<const BlockPatch&>(*model.patches().at(0));
        const Tensor h = draw_tensor({1, 32, 32, 32}, 1), skip = gpu::full({1, 32, 32, 32}, 100) + draw_tensor({1, 32, 32, 32}, 2);
        const DenoiserInput call = input(config);
        const Tensor wide = patch.join({}, h, skip, call).second;
        const gpu::Autocast autocast(Dtype::F16);
        const double error = relative_error(gpu::cast(patch.join({}, gpu::cast(h, Dtype::F16), gpu::cast(skip, Dtype::F16), call).second, Dtype::F32), wide);
        QVERIFY2(error < 1e-3, qPrintable(QString::number(error)));
    }

    // Scores of large queries and keys are beyond F16.
    void attention_is_recorded_in_f32() {
        const Tensor q = draw_tensor({1, 2, 12, 8}, 1) * 100.0, k = draw_tensor({1, 2, 5, 8}, 2) * 100.0;
        const AttentionSite site{.name = "x", .cross = true, .rows = 3, .columns = 4};
        const Tensor narrow_q = gpu::cast(q, Dtype::F16), narrow_k = gpu::cast(k, Dtype::F16);
        const Tensor wide = token_maps(site, gpu::cast(narrow_q, Dtype::F32), gpu::cast(narrow_k, Dtype::F32), 5, 1, 3, 4);
        const gpu::Autocast autocast(Dtype::F16);
        const Tensor maps = token_maps(site, narrow_q, narrow_k, 5, 1, 3, 4);
        QCOMPARE(maps.dtype(), Dtype::F32);
        QCOMPARE(gpu::to_floats(maps), gpu::to_floats(wide));
    }

    // Weights of F16 are read where they lie.
    void weights_are_not_copied() {
        const UnetConfig config = plain_config();
        const auto steps = [&](Dtype stored) { return gpu::plan_cost({output(model_of(config, stored).with_activations(Activations::F16), config)}).steps; };
        const std::size_t small = steps(Dtype::F16), wide = steps(Dtype::F32);
        qInfo("%zu steps with weights of F16, %zu of F32", small, wide);
        QVERIFY(small + 60 < wide);
    }

    // What a GPU with matrix units is given of a whole network.
    void products_are_for_matrix_units() {
        const gpu::DeviceTraits device{.max_push_bytes = 256, .max_shared_bytes = 49152, .max_lanes = 1024, .subgroup_size = 32, .float16 = true, .subgroup_shuffle = true, .cooperative_matrix = true};
        const UnetConfig config = published_unet("sd15");
        const UnetNetwork network(Scope::empty(Dtype::F16), config);
        const DenoiserInput call{.latent = gpu::zeros({2, 4, 64, 64}), .timestep = gpu::tensor({500, 500}), .context = gpu::zeros({2, 77, 768})};
        for (const Dtype type : {Dtype::F32, Dtype::F16}) {
            const gpu::Autocast autocast(type);
            const gpu::Program program = gpu::make_plan(gpu::collect({network(call)}), device, true, {});
            double matrices = 0, all = 0;
            for (const gpu::Step& step : program.steps) {
                all += step.flop;
                if (step.core >= 0 && program.nodes[step.core].kernel && program.nodes[step.core].kernel->variant.find("coop") != std::string::npos) matrices += step.flop;
            }
            qInfo("%zu steps, %.3f of the FLOP by matrix units", program.steps.size(), matrices / all);
            QVERIFY(type == Dtype::F16 ? matrices > 0.99 * all : matrices == 0);
        }
    }

    void auto_looks_at_weights_and_device() {
        const gpu::DeviceTraits matrices{.cooperative_matrix = true}, none, software{.software = true, .cooperative_matrix = true};
        QCOMPARE(activation_type(Activations::Auto, true, matrices), Dtype::F16);
        QCOMPARE(activation_type(Activations::Auto, false, matrices), Dtype::F32);
        QCOMPARE(activation_type(Activations::Auto, true, none), Dtype::F32);
        QCOMPARE(activation_type(Activations::Auto, true, software), Dtype::F32);
        for (const gpu::DeviceTraits& device : {matrices, none})
            for (const bool small : {true, false}) {
                QCOMPARE(activation_type(Activations::F32, small, device), Dtype::F32);
                QCOMPARE(activation_type(Activations::F16, small, device), Dtype::F16);
                QCOMPARE(activation_type(Activations::BF16, small, device), Dtype::BF16);
            }
        QVERIFY(stored_small(weights_of(plain_config(), Dtype::F16)) && stored_small(weights_of(plain_config(), Dtype::BF16)));
        QVERIFY(!stored_small(weights_of(plain_config(), Dtype::F32)));
        gpu::Weights mixed = weights_of(plain_config(), Dtype::F32);
        for (auto& [name, weight] : mixed)
            if (weight.entry.shape.size() > 1) weight.entry.blocks = gpu::BlockFormat::Q8_0;      // as GGUF files have them
        QVERIFY(stored_small(mixed));
    }

    void nodes_choose() {
        const QTemporaryDir folder;
        const std::string file = folder.filePath("unet.safetensors").toStdString();
        const gpu::Weights weights = weights_of(plain_config(), Dtype::F16);
        std::vector<gpu::TensorEntry> entries;
        for (const auto& [name, weight] : weights) entries.push_back(weight.entry);
        gpu::save_safetensors(file, entries);
        const auto loaded = [&](const QJsonObject& params) {
            QJsonObject all = params;
            all["file"] = QString::fromStdString(file);
            return run_node("model.load_unet", all);
        };
        QVERIFY(loaded({}).get<Model>("model").info().activations == Activations::Auto);
        const tests::NodeRun run = loaded({{"activations", "f16"}});
        const Model model = run.get<Model>("model");
        QVERIFY(model.info().activations == Activations::F16);
        QVERIFY2(model.summary().ends_with("activations f16"), model.summary().c_str());
        const Model wide = run_node("model.activations", {{"activations", "f32"}}, {{"model", run.outputs.at("model")}}).get<Model>("model");
        QVERIFY(wide.info().activations == Activations::F32);
        const UnetConfig config = plain_config();
        QVERIFY(relative_error(output(model, config), output(wide, config)) > 1e-5);
        // A device without matrix units computes as F32 does, bit for bit.
        const Model open = run_node("model.activations", {}, {{"model", run.outputs.at("model")}}).get<Model>("model");
        QVERIFY(open.info().activations == Activations::Auto);
        if (!gpu::Device::current().caps().cooperative_matrix) QCOMPARE(gpu::to_floats(output(open, config)), gpu::to_floats(output(wide, config)));
        const auto whole = run_node("model.load", {{"file", HEDDLE_SOURCE_DIR "/resources/models/pico"}, {"activations", "bf16"}});
        QVERIFY(whole.get<Model>("model").info().activations == Activations::BF16);
    }

    void cleanupTestCase() { QCOMPARE(gpu::Device::current().validation_messages(), 0); }
};

HEDDLE_TEST(activations, ActivationsTest)
#include "activations.moc"
