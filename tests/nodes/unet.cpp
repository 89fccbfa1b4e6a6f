// The UNet: against what PyTorch computed (tests/golden/unet/make_unet.py), its names, its structure read off weights, and each
// patch hook, which changes what it should and nothing else.
#include "nodes/models/unet/unet.h"

#include <QDir>

#include "gpu/base/error.h"
#include "gpu/base/switches.h"
#include "gpu/run/evaluate.h"
#include "nodes/conform/conform.h"
#include "nodes/models/unet/keys.h"
#include "tests/support/compare.h"
#include "tests/support/error_of.h"
#include "tests/support/named_weights.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::message_of;
using tests::named_weights;
using tests::relative_error;
using tests::draw_tensor;

namespace {

std::vector<float> expected(const std::string& name) {
    const gpu::Checkpoint file = gpu::open_checkpoint(HEDDLE_SOURCE_DIR "/tests/golden/unet/expected.safetensors");
    return gpu::entry_floats(*file.find(name));
}

UnetConfig plain_config() {
    UnetConfig config;
    config.levels = {{16, 2, {1, 1}, {1, 1, 1}}, {32, 4, {1, 1}, {1, 1, 1}}, {32, 4, {0, 0}, {0, 0, 0}}};
    config.middle_heads = 4;
    config.context_width = 12;
    config.groups = 8;
    config.time_width = 64;
    return config;
}

UnetConfig large_config() {
    UnetConfig config;
    config.levels = {{16, 2, {0}, {0, 0}}, {32, 4, {2}, {2, 2}}};
    config.middle_depth = 3, config.middle_heads = 4;
    config.context_width = 12;
    config.groups = 8;
    config.linear_projection = true;
    config.time_width = 64;
    config.label_width = 10 + 5 * 6, config.pooled_width = 10, config.size_embedding = 6;
    return config;
}

gpu::Weights weights_of(const UnetConfig& config) {
    const Scope scope = Scope::shapes();
    const UnetNetwork network(scope, config);
    return named_weights(scope);
}

Model model_of(const UnetConfig& config) { return Model(make_unet(weights_of(config), config, unet_info(config))); }

DenoiserInput plain_input() {
    return {.latent = draw_tensor({2, 4, 9, 14}, 1), .timestep = gpu::tensor({3, 80.5}), .context = draw_tensor({2, 5, 12}, 2)};
}

DenoiserInput large_input() {
    return {.latent = draw_tensor({2, 4, 8, 6}, 1), .timestep = gpu::tensor({40, 99.5}), .context = draw_tensor({2, 5, 12}, 2), .pooled = draw_tensor({2, 10}, 3),
            .size_ids = gpu::tensor(std::vector<float>{64, 48, 0, 8, 6, 32, 16, 10, 0, 2.5}, {2, 5})};
}

// Hooks of every kind that hand on what they get, and count.
struct Identity final : WeightPatch, TokenPatch, AttentionPatch, ResidualPatch, BlockPatch {
    std::string summary() const override { return "identity"; }
    bool touches(const std::string&) const override { return true; }
    Tensor apply(const std::string&, const Tensor& weight) const override { return weight; }
    Tensor context(const DenoiserInput&, const Tensor& context) const override { return context; }
    Tensor result(const AttentionSite& site, const AttentionCall& call, const Tensor& result) const override {
        sites.push_back(site);
        fits = fits && result.shape() == call.q.shape() && call.x.size(1) == site.rows * site.columns && call.q.size(1) == site.heads;
        return result;
    }
    Residuals residuals(const DenoiserInput&) const override { return {}; }
    Tensor after(const BlockSite& site, const Tensor& h, const DenoiserInput&) const override {
        layers.push_back(gpu::format("{}{}", site.name, site.last ? "!" : ""));
        return h;
    }
    std::pair<Tensor, Tensor> join(const BlockSite& site, const Tensor& h, const Tensor& skip, const DenoiserInput&) const override {
        joins.push_back(site.name);
        return {h, skip};
    }
    mutable std::vector<AttentionSite> sites;
    mutable std::vector<std::string> layers, joins;
    mutable bool fits = true;
};

struct Scale final : WeightPatch {
    explicit Scale(std::string name) : name(std::move(name)) {}
    std::string name;
    std::string summary() const override { return "scale"; }
    bool touches(const std::string& weight) const override { return weight == name; }
    Tensor apply(const std::string&, const Tensor& weight) const override { return weight * 1.5; }
};
struct Tokens final : TokenPatch {
    std::string summary() const override { return "one token more"; }
    Tensor context(const DenoiserInput&, const Tensor& context) const override { return gpu::pad(context, {0, 0, 0}, {0, 1, 0}); }
};
struct Source final : AttentionPatch {
    bool cross;
    explicit Source(bool cross) : cross(cross) {}
    std::string summary() const override { return "source"; }
    Tensor source(const AttentionSite& site, const Tensor& source, const DenoiserInput&) const override { return site.cross == cross ? source * 0.5 : source; }
};
struct Result final : AttentionPatch {
    std::string summary() const override { return "result"; }
    Tensor result(const AttentionSite& site, const AttentionCall&, const Tensor& result) const override { return site.index == 3 ? result * 0.5 : result; }
};
struct Side final : ResidualPatch {
    int place;
    std::int64_t width;
    explicit Side(int place, std::int64_t width = 16) : place(place), width(width) {}
    std::string summary() const override { return "side"; }
    Residuals residuals(const DenoiserInput&) const override {
        Residuals added;
        const Tensor one = gpu::full({1, width, 1, 1}, 0.5);
        if (place == 0) added.features[1] = one;
        if (place == 1) added.skips[1] = one;
        if (place == 2) added.middle = gpu::full({1, 32, 1, 1}, 0.5);
        return added;
    }
};
struct Channels final : InputPatch {
    std::int64_t count;
    explicit Channels(std::int64_t count) : count(count) {}
    std::string summary() const override { return "channels"; }
    Tensor channels(const DenoiserInput& input) const override { return draw_tensor({1, count, input.latent.size(2), input.latent.size(3)}, 9); }
};
struct Block final : BlockPatch {
    bool joins;
    explicit Block(bool joins) : joins(joins) {}
    std::string summary() const override { return "block"; }
    Tensor after(const BlockSite& site, const Tensor& h, const DenoiserInput&) const override { return !joins && site.name == "middle_block.1" ? h * 0.5 : h; }
    std::pair<Tensor, Tensor> join(const BlockSite& site, const Tensor& h, const Tensor& skip, const DenoiserInput&) const override {
        return {h, joins && site.index == 2 ? skip * 0.5 : skip};
    }
};

template <typename T, typename... Args>
PatchRef patch(Args&&... args) { return std::make_shared<const T>(std::forward<Args>(args)...); }

#define VERIFY_SAYS(call, part) \
    do { const std::string said = message_of([&] { call; }); QVERIFY2(said.find(part) != std::string::npos, said.c_str()); } while (false)

}  // namespace

class UnetTest : public QObject {
    Q_OBJECT
private slots:
    void agrees_with_pytorch_data() {
        QTest::addColumn<QString>("variant");
        QTest::addColumn<bool>("host");
        for (const bool host : {true, false})
            for (const char* variant : {"plain", "large"})
                QTest::newRow(qPrintable(QString("%1,%2").arg(variant, host ? "host" : "shaders"))) << variant << host;
    }
    void agrees_with_pytorch() {
        QFETCH(QString, variant);
        QFETCH(bool, host);
        const gpu::ScopedSwitch kernels(&gpu::Switches::host, host);
        const bool plain = variant == "plain";
        const Model model = model_of(plain ? plain_config() : large_config());
        const Tensor output = (*model.denoiser())(plain ? plain_input() : large_input());
        const double error = relative_error(gpu::to_floats(output), expected(variant.toStdString()));
        QVERIFY2(error < 1e-5, qPrintable(QString::number(error)));
    }

    void structure_is_read_off_the_weights_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"sd15", "sd21", "sdxl", "refiner", "large"}) QTest::newRow(name) << name;
    }
    void structure_is_read_off_the_weights() {
        QFETCH(QString, name);
        const UnetConfig wanted = name == "large" ? large_config() : published_unet(name.toStdString());
        const Scope scope = Scope::shapes();
        const UnetNetwork network(scope, wanted);
        gpu::Weights weights;
        for (const gpu::Scope::Asked& asked : scope.asked()) weights.emplace(asked.name, gpu::Weight{{.name = asked.name, .shape = asked.shape}, nullptr, "shapes"});
        UnetHints hints;
        if (name == "large") hints = {.heads = {2, 4}, .groups = 8, .pooled_width = 10, .size_embedding = 6};
        const UnetConfig read = read_unet_config(weights, hints);
        QCOMPARE(read.levels.size(), wanted.levels.size());
        for (std::size_t i = 0; i < read.levels.size(); ++i) {
            QCOMPARE(read.levels[i].channels, wanted.levels[i].channels);
            QCOMPARE(read.levels[i].heads, wanted.levels[i].heads);
            QCOMPARE(read.levels[i].input_depths, wanted.levels[i].input_depths);
            QCOMPARE(read.levels[i].output_depths, wanted.levels[i].output_depths);
        }
        QCOMPARE(read.middle_depth, wanted.middle_depth);
        QCOMPARE(read.middle_heads, wanted.middle_heads);
        QCOMPARE(read.context_width, wanted.context_width);
        QCOMPARE(read.linear_projection, wanted.linear_projection);
        QCOMPARE(read.time_width, wanted.time_width);
        QCOMPARE(read.label_width, wanted.label_width);
        QCOMPARE(read.pooled_width, wanted.pooled_width);
        QCOMPARE(read.size_ids(), wanted.size_ids());
        QCOMPARE(read.family(), wanted.family());
        // Both directions of the table, for every weight.
        const UnetNames names{UnetLayout(read)};
        std::vector<std::string> diffusers;
        for (const auto& [ldm, weight] : weights) {
            diffusers.push_back(names.diffusers(ldm));
            QCOMPARE(names.ldm(diffusers.back()), ldm);
        }
        // What diffusers' names alone tell is the same table.
        const UnetNames from_names{UnetLayout(diffusers)};
        for (std::size_t i = 0; const auto& [ldm, weight] : weights) QCOMPARE(from_names.ldm(diffusers[i++]), ldm);
    }

    void names_are_the_published_ones() {
        const UnetConfig sd = published_unet("sd15"), xl = published_unet("sdxl");
        for (const auto& [ldm, diffusers] : {std::pair("input_blocks.3.0.op.bias", "down_blocks.0.downsamplers.0.conv.bias"),
                                             std::pair("input_blocks.4.0.skip_connection.weight", "down_blocks.1.resnets.0.conv_shortcut.weight"),
                                             std::pair("middle_block.2.emb_layers.1.weight", "mid_block.resnets.1.time_emb_proj.weight"),
                                             std::pair("output_blocks.2.1.conv.weight", "up_blocks.0.upsamplers.0.conv.weight"),
                                             std::pair("output_blocks.5.2.conv.weight", "up_blocks.1.upsamplers.0.conv.weight"),
                                             std::pair("output_blocks.11.1.transformer_blocks.0.attn2.to_k.weight",
                                                       "up_blocks.3.attentions.2.transformer_blocks.0.attn2.to_k.weight")}) {
            QCOMPARE(unet_diffusers_name(ldm, sd), std::string(diffusers));
            QCOMPARE(unet_name(diffusers, sd), std::string(ldm));
        }
        QCOMPARE(unet_name("add_embedding.linear_2.weight", xl), std::string("label_emb.0.2.weight"));
        QCOMPARE(unet_name("up_blocks.0.upsamplers.0.conv.weight", xl), std::string("output_blocks.2.2.conv.weight"));
        QCOMPARE(unet_diffusers_name("input_blocks.7.1.transformer_blocks.9.ff.net.0.proj", xl), std::string("down_blocks.2.attentions.0.transformer_blocks.9.ff.net.0.proj"));
        QCOMPARE(unet_name("down_blocks.7.resnets.0.norm1.weight", sd), std::string());
        QCOMPARE(unet_name("down_blocks.0.resnets.0.norm3.weight", sd), std::string());
        QCOMPARE(unet_diffusers_name("first_stage_model.encoder.conv_in.weight", sd), std::string());
    }

    void sites_are_counted_as_diffusers_does() {
        const std::vector<AttentionSite> sd = attention_sites(published_unet("sd15")), xl = attention_sites(published_unet("sdxl"));
        QCOMPARE(sd.size(), 32u);
        QCOMPARE(xl.size(), 140u);
        QCOMPARE(sd[1].name, std::string("input_blocks.1.1.transformer_blocks.0.attn2"));
        QCOMPARE(sd[12].name, std::string("output_blocks.3.1.transformer_blocks.0.attn1"));
        QCOMPARE(sd[31].name, std::string("middle_block.1.transformer_blocks.0.attn2"));
        QCOMPARE(xl[48].name, std::string("output_blocks.0.1.transformer_blocks.0.attn1"));
        QCOMPARE(xl[139].name, std::string("middle_block.1.transformer_blocks.9.attn2"));
        for (std::size_t i = 0; i < xl.size(); ++i) {
            QCOMPARE(xl[i].index, static_cast<int>(i));
            QCOMPARE(xl[i].cross, i % 2 == 1);
            QCOMPARE(xl[i].heads * 64, xl[i].width);
        }
    }

    void patches_that_change_nothing_change_no_bit() {
        const Model model = model_of(plain_config());
        const std::vector<float> before = gpu::to_floats((*model.denoiser())(plain_input()));
        const auto identity = std::make_shared<const Identity>();
        QCOMPARE(gpu::to_floats((*model.with(PatchRef(identity)).denoiser())(plain_input())), before);
        QVERIFY(identity->fits);
        std::vector<std::string> called, wanted;
        for (const AttentionSite& site : identity->sites) called.push_back(site.name);
        for (const AttentionSite& site : attention_sites(plain_config())) wanted.push_back(site.name);
        std::sort(called.begin(), called.end()), std::sort(wanted.begin(), wanted.end());
        QCOMPARE(called, wanted);
        QCOMPARE(identity->joins.size(), 9u);
        const std::vector<std::string> first{"input_blocks.0.0!", "input_blocks.1.0", "input_blocks.1.1!", "input_blocks.2.0", "input_blocks.2.1!", "input_blocks.3.0"};
        QCOMPARE(std::vector<std::string>(identity->layers.begin(), identity->layers.begin() + 6), first);
        QVERIFY(std::find(identity->layers.begin(), identity->layers.end(), "output_blocks.2.1") != identity->layers.end());      // an upsampler
    }

    void every_hook_changes_the_output() {
        const Model model = model_of(plain_config());
        const std::vector<float> before = gpu::to_floats((*model.denoiser())(plain_input()));
        for (const PatchRef& hook : {patch<Scale>("output_blocks.0.0.in_layers.2.weight"), patch<Scale>("input_blocks.1.0.out_layers.3.bias"), patch<Tokens>(), patch<Source>(true),
                                     patch<Source>(false), patch<Result>(), patch<Side>(0), patch<Side>(1), patch<Side>(2), patch<Block>(true), patch<Block>(false)}) {
            const double change = relative_error(gpu::to_floats((*model.with(hook).denoiser())(plain_input())), before);
            QVERIFY2(change > 1e-4 && change < 10, qPrintable(QString::fromStdString(hook->summary()) + QString(": %1").arg(change)));
        }
        // Patches of one kind follow one another, and the base stays what it was.
        const Patches two{patch<Scale>("out.2.weight"), patch<Scale>("out.2.weight")};
        const std::vector<float> twice = gpu::to_floats((*model.with(two).denoiser())(plain_input()));
        gpu::Weights weights = weights_of(plain_config());
        const Tensor bias = gpu::reshape(gpu::to_leaf(weights.at("out.2.bias")), {1, 4, 1, 1});
        const Tensor wanted = (gpu::tensor(before, {2, 4, 9, 14}) - bias) * 2.25 + bias;
        QVERIFY(relative_error(twice, gpu::to_floats(wanted)) < 1e-5);
        QCOMPARE(gpu::to_floats((*model.denoiser())(plain_input())), before);
    }

    void merged_weights_keep_their_type() {
        UnetConfig config = plain_config();
        gpu::Weights weights = weights_of(config);
        std::vector<std::shared_ptr<std::vector<std::byte>>> kept;
        for (auto& [name, weight] : weights) {
            const Tensor half = gpu::cast(gpu::to_leaf(weight), gpu::Dtype::F16);
            kept.push_back(std::make_shared<std::vector<std::byte>>(tensor_bytes(half)));
            gpu::read(half, *kept.back());
            weight.entry.dtype = gpu::Dtype::F16, weight.entry.bytes = *kept.back(), weight.owner = kept.back();
        }
        const Model model(make_unet(weights, config, unet_info(config)));
        std::map<std::string, Tensor, std::less<>> leaves;
        for (const auto& [name, weight] : weights) leaves.emplace(name, gpu::to_leaf(weight));
        const auto merged = merged_weights(weights, leaves, {patch<Scale>("out.2.weight")});
        QVERIFY(merged.at("out.2.bias").same_as(leaves.at("out.2.bias")));
        const Tensor changed = merged.at("out.2.weight");
        QVERIFY(!changed.same_as(leaves.at("out.2.weight")));
        QCOMPARE(changed.inputs().at(0).dtype(), gpu::Dtype::F16);      // a cast of what is stored
        QVERIFY(relative_error(gpu::to_floats(changed), gpu::to_floats(leaves.at("out.2.weight") * 1.5)) < 1e-3);
        // Half the bits, nearly the same numbers.
        const double error = relative_error(gpu::to_floats((*model.denoiser())(plain_input())), expected("plain"));
        QVERIFY2(error < 2e-2, qPrintable(QString::number(error)));
    }

    void input_channels_must_add_up() {
        UnetConfig config = plain_config();
        config.in_channels = 9;
        const Model model = model_of(config);
        QCOMPARE((*model.with(patch<Channels>(5)).denoiser())(plain_input()).shape(), (gpu::Shape{2, 4, 9, 14}));
        const std::vector<float> at_once = gpu::to_floats((*model.with(patch<Channels>(5)).denoiser())(plain_input()));
        DenoiserInput whole = plain_input();
        const Tensor more = gpu::broadcast_to(draw_tensor({1, 5, 9, 14}, 9), {2, 5, 9, 14});
        whole.latent = gpu::concat({whole.latent, more}, 1);
        QCOMPARE(gpu::to_floats((*model.denoiser())(whole)), at_once);
        VERIFY_SAYS((*model.denoiser())(plain_input()), "expected 9 input channels, got 4 of the latent and 0 of input patches: an inpainting model");
        VERIFY_SAYS((*model.with(patch<Channels>(2)).denoiser())(plain_input()), "expected 9 input channels, got 4 of the latent and 2");
    }

    void errors_say_what_was_expected() {
        const Model model = model_of(plain_config()), large = model_of(large_config());
        DenoiserInput input = plain_input();
        input.context = draw_tensor({2, 5, 16}, 2);
        VERIFY_SAYS((*model.denoiser())(input), "expected a context [2, L, 12]");
        DenoiserInput bare = plain_input();
        VERIFY_SAYS((*large.denoiser())(bare), "expected pooled text [2, 10], got none");
        VERIFY_SAYS((*model.with(patch<Side>(1, 24)).denoiser())(plain_input()), "the skip of input block 1");
        gpu::Weights weights = weights_of(plain_config());
        weights.erase("middle_block.1.norm.weight");
        VERIFY_SAYS(make_unet(weights, plain_config(), {}), "1 missing: middle_block.1.norm.weight");
        weights.erase("input_blocks.0.0.weight");
        VERIFY_SAYS(read_unet_config(weights), "expected a weight input_blocks.0.0.weight");
    }

    void steps_after_the_first_replay_one_plan() {
        const Model model = model_of(plain_config());
        const auto denoiser = model.denoiser();
        QCOMPARE(model.denoiser(), denoiser);
        DenoiserInput input = plain_input();
        gpu::evaluate({(*denoiser)(input)});
        const gpu::EvaluationCounters before = gpu::evaluation_counters();
        for (int step = 1; step <= 4; ++step) {
            input.timestep = gpu::tensor({static_cast<float>(100 * step), 7});
            input.latent = draw_tensor({2, 4, 9, 14}, 10 + step);
            input.at.step = step;
            gpu::evaluate({(*denoiser)(input)});
        }
        const gpu::EvaluationCounters after = gpu::evaluation_counters();
        QCOMPARE(after.plans_made - before.plans_made, 0u);
        QCOMPARE(after.plan_hits - before.plan_hits, 4u);
        QCOMPARE(after.recordings - before.recordings, 0u);
    }

    void reference_cases_pass_data() {
        QTest::addColumn<QString>("name");
        const QDir folder(QString::fromStdString(tests::shared_dir()) + "/conformance");
        for (const char* name : {"unet-sd15", "unet-sd15-diffusers", "unet-sd15-inpaint", "unet-sd21", "unet-sdxl", "unet-lcm", "unet-grad", "controlnet-sd15"})
            QTest::newRow(name) << (tests::shared_dir().empty() || !folder.exists(name) ? QString() : folder.filePath(name));
    }
    void reference_cases_pass() {
        QFETCH(QString, name);
        if (name.isEmpty()) QSKIP("no shared reference data");
        for (const bool host : {true, false}) {
            const gpu::ScopedSwitch kernels(&gpu::Switches::host, host);
            for (const ConformRow& row : run_conform_case(load_conform_case(name.toStdString())).rows)
                QVERIFY2(row.pass, qPrintable(QString("%1: %2").arg(QString::fromStdString(row.output)).arg(row.rel_l2)));
        }
    }
};

HEDDLE_TEST(unet, UnetTest)
#include "unet.moc"
