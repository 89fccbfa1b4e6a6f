// Recognising model files by names and shapes alone: full lists of the published networks, made from the modules' own constructors, and the
// marks of all kinds of adapters.
#include <QTemporaryDir>
#include <cmath>

#include "gpu/base/error.h"
#include "nodes/models/clip/text.h"
#include "nodes/models/clip/keys.h"
#include "nodes/models/detect/detect.h"
#include "nodes/models/controlnet/controlnet.h"
#include "nodes/models/detect/folder.h"
#include "nodes/models/unet/keys.h"
#include "nodes/models/unet/unet.h"
#include "nodes/models/vae/kl.h"
#include "tests/support/test.h"

using namespace nodes;

namespace {

using Shapes = std::map<std::string, gpu::Shape>;

Shapes shapes_of(const gpu::Scope& scope, const std::string& prefix = {}) {
    Shapes shapes;
    for (const gpu::Scope::Asked& asked : scope.asked()) shapes[prefix + asked.name] = asked.shape;
    return shapes;
}

Shapes unet(UnetConfig config, bool diffusers = false, const std::string& prefix = {}) {
    const gpu::Scope scope = gpu::Scope::shapes();
    const UnetNetwork network(scope, config);
    if (!diffusers) return shapes_of(scope, prefix);
    Shapes shapes;
    const UnetNames names{UnetLayout(config)};
    for (const auto& [name, shape] : shapes_of(scope)) shapes[prefix + names.diffusers(name)] = shape;
    return shapes;
}

Shapes vae(const std::string& prefix = {}, bool diffusers = false) {
    const gpu::Scope scope = gpu::Scope::shapes();
    const KlAutoencoder network(scope, vae_config(), latent_format("sd1", 4));
    gpu::Weights weights;
    for (const gpu::Scope::Asked& asked : scope.asked()) weights.emplace(asked.name, gpu::Weight{{.name = asked.name, .shape = asked.shape}, nullptr, ""});
    Shapes shapes;
    for (const gpu::TensorEntry& entry : vae_entries(weights, diffusers ? VaeLayout::Diffusers : VaeLayout::Ldm, prefix)) shapes[entry.name] = entry.shape;
    return shapes;
}

// `open_clip`: fused projections.
Shapes text(const std::string& name, const std::string& prefix = {}, bool open_clip = false) {
    const gpu::Scope scope = gpu::Scope::shapes();
    ClipTextConfig config = published_clip_text(name);
    const ClipText tower(scope, config);
    Shapes shapes;
    for (const auto& [own, shape] : shapes_of(scope)) {
        if (!open_clip) {
            shapes[prefix + own] = shape;
            continue;
        }
        std::string theirs = own;
        const auto swap = [&](const std::string& from, const std::string& to) {
            if (const auto at = theirs.find(from); at != theirs.npos) theirs.replace(at, from.size(), to);
        };
        swap("text_model.encoder.layers.", "transformer.resblocks."), swap("layer_norm1", "ln_1"), swap("layer_norm2", "ln_2"), swap("mlp.fc1", "mlp.c_fc"), swap("mlp.fc2", "mlp.c_proj");
        swap("self_attn.out_proj", "attn.out_proj"), swap("text_model.embeddings.token_embedding", "token_embedding"), swap("text_model.final_layer_norm", "ln_final");
        swap("text_model.embeddings.position_embedding.weight", "positional_embedding"), swap("text_projection.weight", "text_projection");
        if (theirs.find("k_proj") != theirs.npos || theirs.find("v_proj") != theirs.npos) continue;
        gpu::Shape made = shape;
        if (theirs.find("q_proj") != theirs.npos) swap("self_attn.q_proj.", "attn.in_proj_"), made[0] *= 3;
        shapes[prefix + theirs] = made;
    }
    return shapes;
}

Shapes joined(std::initializer_list<Shapes> parts) {
    Shapes all;
    for (const Shapes& part : parts) all.insert(part.begin(), part.end());
    return all;
}

// No bytes, but for the bias that tells SD 2's prediction type.
gpu::Checkpoint file_of(const Shapes& shapes, double deviation = 0, const std::string& path = "model.safetensors", std::map<std::string, std::string> metadata = {}) {
    gpu::CheckpointContent content{.path = path, .format = "safetensors", .metadata = std::move(metadata)};
    const auto bias = std::make_shared<std::vector<float>>();
    for (int i = 0; i < 320; ++i) bias->push_back(static_cast<float>((i % 2 ? 1 : -1) * deviation));
    content.keep.push_back(bias);
    for (const auto& [name, shape] : shapes) {
        gpu::TensorEntry entry{.name = name, .dtype = gpu::Dtype::F16, .shape = shape};
        if (name.ends_with("output_blocks.11.1.transformer_blocks.0.norm1.bias") || name == "up_blocks.3.attentions.2.transformer_blocks.0.norm1.bias")
            entry.dtype = gpu::Dtype::F32, entry.bytes = std::as_bytes(std::span(*bias));
        content.entries.push_back(std::move(entry));
    }
    return gpu::Checkpoint(std::move(content));
}

Shapes sd1(UnetConfig config = published_unet("sd15")) {
    return joined({unet(std::move(config), false, "model.diffusion_model."), vae("first_stage_model."), text("clip-l", "cond_stage_model.transformer.")});
}
Shapes sd2(UnetConfig config = published_unet("sd21")) {
    return joined({unet(std::move(config), false, "model.diffusion_model."), vae("first_stage_model."), text("clip-h", "cond_stage_model.model.", true)});
}
Shapes sdxl() {
    return joined({unet(published_unet("sdxl"), false, "model.diffusion_model."), vae("first_stage_model."), text("clip-l", "conditioner.embedders.0.transformer."),
                   text("clip-g", "conditioner.embedders.1.model.", true)});
}
UnetConfig with_inputs(UnetConfig config, int channels) {
    config.in_channels = channels;
    return config;
}
Shapes lora(const std::string& module, std::int64_t out, std::int64_t in) {
    return {{module + ".lora_up.weight", {out, 4}}, {module + ".lora_down.weight", {4, in}}, {module + ".alpha", {}}};
}

void expect(const gpu::Checkpoint& file, const char* kind, const char* family, const char* variant, const char* prediction, const char* layout) {
    const ModelFacts facts = recognise(file);
    QCOMPARE(kind_name(facts.kind), kind);
    QCOMPARE(facts.family, std::string(family));
    QCOMPARE(facts.variant, std::string(variant));
    QCOMPARE(facts.prediction, std::string(prediction));
    QCOMPARE(facts.layout, std::string(layout));
    QVERIFY2(facts.missing.empty(), facts.missing.empty() ? "" : facts.missing[0].c_str());
    QVERIFY2(facts.unexpected.empty(), facts.unexpected.empty() ? "" : facts.unexpected[0].c_str());
}

}  // namespace

class DetectTest : public QObject {
    Q_OBJECT
private slots:
    void checkpoints_are_told_apart() {
        expect(file_of(sd1()), "checkpoint", "sd1", "", "epsilon", "ldm");
        expect(file_of(sd1(with_inputs(published_unet("sd15"), 9))), "checkpoint", "sd1", "inpainting", "epsilon", "ldm");
        expect(file_of(sd1(with_inputs(published_unet("sd15"), 8))), "checkpoint", "sd1", "instruction or pose", "epsilon", "ldm");
        expect(file_of(sd2(), 0.02), "checkpoint", "sd2", "", "epsilon", "ldm");
        expect(file_of(sd2(), 0.2), "checkpoint", "sd2", "", "v", "ldm");
        expect(file_of(sd2(with_inputs(published_unet("sd21"), 5)), 0.02), "checkpoint", "sd2", "depth", "epsilon", "ldm");
        expect(file_of(sdxl()), "checkpoint", "sdxl", "", "epsilon", "ldm");
        expect(file_of(joined({sdxl(), {{"v_pred", {}}, {"ztsnr", {}}}})), "checkpoint", "sdxl", "", "v", "ldm");
        QVERIFY(recognise(file_of(joined({sdxl(), {{"ztsnr", {}}}}))).zero_terminal_snr);
        expect(file_of(joined({sdxl(), {{"edm_mean", {4}}, {"edm_std", {4}}}})), "checkpoint", "sdxl", "Playground 2.5", "edm", "ldm");
        expect(file_of(sdxl(), 0, "sd_xl_turbo_1.0.safetensors"), "checkpoint", "sdxl", "turbo", "epsilon", "ldm");
        expect(file_of(joined({unet(published_unet("refiner"), false, "model.diffusion_model."), vae("first_stage_model."), text("clip-g", "conditioner.embedders.0.model.", true)})),
               "checkpoint", "sdxl-refiner", "", "epsilon", "ldm");
        // Buffers and averages of training are no part of the model.
        expect(file_of(joined({sd1(), {{"betas", {1000}}, {"alphas_cumprod", {1000}}, {"model_ema.diffusion_modelout2bias", {4}}, {"model_ema.decay", {}}}})), "checkpoint", "sd1", "",
               "epsilon", "ldm");
    }
    void networks_alone_are_told_apart() {
        expect(file_of(unet(published_unet("sd15"), true)), "unet", "sd1", "", "epsilon", "diffusers");
        expect(file_of(unet(published_unet("sdxl"), true)), "unet", "sdxl", "", "epsilon", "diffusers");
        expect(file_of(unet(published_unet("sdxl"))), "unet", "sdxl", "", "epsilon", "ldm");      // GGUF files have it without prefix
        expect(file_of(unet(published_unet("sd21"), true), 0.3), "unet", "sd2", "", "v", "diffusers");
        UnetConfig lcm = published_unet("sd15");
        lcm.guidance_width = 256;
        expect(file_of(unet(lcm, true)), "unet", "sd1", "LCM", "epsilon", "diffusers");
        expect(file_of(vae()), "vae", "", "", "", "ldm");
        expect(file_of(vae("", true)), "vae", "", "", "", "diffusers");
        Shapes vq = vae();
        vq["quantize.embedding.weight"] = {1024, 4};
        expect(file_of(vq), "vq", "", "", "", "ldm");
        expect(file_of(text("clip-l")), "text-encoder", "sd1", "CLIP-L", "", "transformers");
        expect(file_of(text("clip-h", "", true)), "text-encoder", "sd2", "OpenCLIP-H", "", "OpenCLIP");
        expect(file_of(text("clip-g")), "text-encoder", "sdxl", "OpenCLIP-bigG", "", "transformers");
        expect(file_of({{"vision_model.embeddings.class_embedding", {1280}}, {"vision_model.encoder.layers.0.layer_norm1.weight", {1280}}}), "vision-encoder", "", "CLIP-H", "", "transformers");
        expect(file_of({{"14.weight", {4, 64, 3, 3}}, {"1.conv.0.weight", {64, 64, 3, 3}}, {"0.weight", {64, 3, 3, 3}}}), "tiny-vae", "", "encoder", "", "original");
        expect(file_of({{"decoder.layers.0.weight", {64, 16, 3, 3}}, {"encoder.layers.0.weight", {64, 3, 3, 3}}, {"encoder.layers.1.conv.0.weight", {64, 64, 3, 3}}}), "tiny-vae", "", "", "",
               "diffusers");
    }
    void adapters_are_told_apart() {
        const std::string attention = "down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k";
        expect(file_of(lora("lora_unet_" + attention, 640, 768)), "lora", "sd1", "", "", "kohya");
        expect(file_of(lora("lora_unet_input_blocks_4_1_transformer_blocks_1_attn2_to_k", 640, 2048)), "lora", "sdxl", "", "", "kohya");
        expect(file_of({{"unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_v.lora_A.weight", {4, 1024}}, {"unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_v.lora_B.weight", {640, 4}}}),
               "lora", "sd2", "", "", "PEFT");
        expect(file_of({{"unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.processor.to_v_lora.down.weight", {4, 768}},
                        {"unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.processor.to_v_lora.up.weight", {640, 4}}}),
               "lora", "sd1", "", "", "diffusers");
        expect(file_of({{"lora_unet_" + attention + ".hada_w1_a", {640, 4}}, {"lora_unet_" + attention + ".hada_w1_b", {4, 768}}, {"lora_unet_" + attention + ".hada_w2_a", {640, 4}},
                        {"lora_unet_" + attention + ".hada_w2_b", {4, 768}}}),
               "lora", "sd1", "LoHa", "", "kohya");
        expect(file_of({{"lycoris_" + attention + ".lokr_w1", {2, 2}}, {"lycoris_" + attention + ".lokr_w2", {320, 1024}}}), "lora", "sdxl", "LoKr", "", "LyCORIS");
        expect(file_of({{"image_proj.proj.weight", {3072, 1024}}, {"ip_adapter.1.to_k_ip.weight", {320, 768}}}), "ip-adapter", "sd1", "", "", "original");
        expect(file_of({{"image_proj.latents", {1, 16, 1280}}, {"ip_adapter.1.to_k_ip.weight", {640, 2048}}}), "ip-adapter", "sdxl", "plus", "", "original");
        expect(file_of({{"image_proj.perceiver_resampler.proj_in.weight", {768, 1280}}, {"image_proj.proj.0.weight", {1024, 512}}, {"ip_adapter.1.to_k_ip.weight", {320, 768}},
                        {"ip_adapter.0.to_q_lora.down.weight", {128, 320}}}),
               "ip-adapter", "sd1", "FaceID plus", "", "original");
        expect(file_of({{"control_model.zero_convs.0.0.weight", {320, 320, 1, 1}}, {"control_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", {320, 768}}}), "controlnet", "sd1", "", "", "ldm");
        expect(file_of({{"controlnet_cond_embedding.conv_in.weight", {16, 3, 3, 3}}, {"conv_in.weight", {320, 4, 3, 3}}, {"down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight", {640, 2048}}}),
               "controlnet", "sdxl", "", "", "diffusers");
        expect(file_of({{"lora_controlnet", {0}}, {"input_blocks.4.1.transformer_blocks.0.attn2.to_k.down", {4, 2048}}}), "controlnet", "sdxl", "Control-LoRA", "", "ldm");
        expect(file_of({{"conv_in.weight", {320, 192, 3, 3}}, {"body.0.block1.weight", {320, 320, 3, 3}}}), "t2i-adapter", "sd1", "", "", "original");
        expect(file_of({{"down_blocks.0.motion_modules.0.temporal_transformer.transformer_blocks.0.attention_blocks.0.pos_encoder.pe", {1, 32, 320}},
                        {"down_blocks.3.motion_modules.0.temporal_transformer.norm.weight", {1280}}, {"mid_block.motion_modules.0.temporal_transformer.norm.weight", {1280}}}),
               "motion-module", "sd1", "version 2", "", "AnimateDiff");
        expect(file_of({{"emb_params", {4, 768}}}), "embedding", "sd1", "", "", "A1111");
        expect(file_of({{"clip_l", {4, 768}}, {"clip_g", {4, 1280}}}), "embedding", "sdxl", "", "", "diffusers");
        expect(file_of({{"<cat>", {1024}}}), "embedding", "sd2", "", "", "diffusers");
    }
    void video_models_and_others_are_named() {
        Shapes video = unet(published_unet("sd21"), false, "model.diffusion_model.");
        video["model.diffusion_model.input_blocks.1.0.time_stack.in_layers.0.weight"] = {320};
        expect(file_of(video), "video-model", "svd", "", "v", "ldm");
        QCOMPARE(recognise(file_of({{"double_blocks.0.img_attn.norm.key_norm.scale", {128}}})).family, std::string("flux"));
        QVERIFY(recognise(file_of({{"something.weight", {4, 4}}})).kind == FileKind::Unknown);
    }
    void lacking_and_needless_keys_are_listed() {
        Shapes shapes = sd1();
        shapes.erase("model.diffusion_model.out.2.bias");
        shapes.erase("first_stage_model.decoder.conv_out.weight");
        shapes["model.diffusion_model.input_blocks.1.0.surprise.weight"] = {3};
        shapes["cond_stage_model.transformer.text_model.encoder.layers.3.mlp.fc1.weight"] = {3072, 700};
        shapes["stray"] = {1};
        const ModelFacts facts = recognise(file_of(shapes));
        QCOMPARE(facts.missing, (std::vector<std::string>{"model.diffusion_model.out.2.bias", "first_stage_model.decoder.conv_out.weight"}));
        QCOMPARE(facts.unexpected.size(), std::size_t(3));
        QCOMPARE(facts.unexpected[0], std::string("model.diffusion_model.input_blocks.1.0.surprise.weight"));
        QVERIFY(facts.unexpected[1].find("fc1.weight (expected [3072, 768], got [3072, 700])") != std::string::npos);
        QCOMPARE(facts.unexpected[2], std::string("stray"));
        QCOMPARE(facts.parts, (std::vector<std::string>{"UNet", "autoencoder", "text encoder"}));
        QCOMPARE(facts.precision, std::string("F16 with some F32"));
        // A module that no layer of SD 1 answers to.
        Shapes odd = lora("lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k", 640, 768);
        odd.merge(lora("lora_unet_down_blocks_9_attentions_0_proj_in", 640, 640));
        QCOMPARE(recognise(file_of(odd)).unexpected, std::vector<std::string>{"lora_unet_down_blocks_9_attentions_0_proj_in"});
    }
    void what_a_control_net_lacks_is_listed() {
        const gpu::Scope scope = gpu::Scope::shapes();
        const ControlNetBranch network(scope, published_unet("sd15"));
        Shapes shapes;
        for (const gpu::Scope::Asked& one : scope.asked()) shapes["control_model." + one.name] = one.shape;
        expect(file_of(shapes), "controlnet", "sd1", "", "", "ldm");
        shapes.erase("control_model.zero_convs.3.0.bias");
        shapes["control_model.odd.weight"] = {3};
        const ModelFacts facts = recognise(file_of(shapes));
        QVERIFY2(facts.missing.size() == 1, facts.notes.empty() ? "" : facts.notes[0].c_str());
        QCOMPARE(facts.missing[0], std::string("zero_convs.3.0.bias"));
        QCOMPARE(facts.unexpected, (std::vector<std::string>{"control_model.odd.weight"}));
    }
    void a_wrong_file_says_what_it_is() {
        const auto message = [](const gpu::Checkpoint& file) -> std::string {
            try {
                expect_kind(file, {FileKind::Checkpoint}, "a checkpoint", false);
            } catch (const gpu::Error& error) {
                return error.message();
            }
            return "none";
        };
        QCOMPARE(message(file_of(vae())), std::string("model.safetensors: expected a checkpoint, got an autoencoder"));
        QCOMPARE(message(file_of(lora("lora_unet_x_attn2_to_k", 640, 2048))), std::string("model.safetensors: expected a checkpoint, got a LoRA for SDXL"));
        QCOMPARE(message(file_of({{"weight", {2}}})), std::string("model.safetensors: expected a checkpoint, got tensors such as weight"));
        QCOMPARE(message(file_of(sd1())), std::string("none"));
    }
    void folders_open_by_variant_and_index() {
        QTemporaryDir dir;
        const auto path = [&](const char* name) { return dir.filePath(name).toStdString(); };
        const std::vector<float> values(4);
        const auto save = [&](const std::string& to, const std::string& name) {
            const gpu::TensorEntry entry{.name = name, .dtype = gpu::Dtype::F32, .shape = {4}, .bytes = std::as_bytes(std::span(values))};
            gpu::save_safetensors(to, std::span(&entry, 1));
        };
        const auto first = [](const std::vector<gpu::Checkpoint>& files) { return files.at(0).entries().at(0).name; };
        save(path("diffusion_pytorch_model.fp16.safetensors"), "half");
        QCOMPARE(first(open_model_part(path(""))), std::string("half"));
        save(path("diffusion_pytorch_model.safetensors"), "whole");
        QCOMPARE(first(open_model_part(path(""))), std::string("whole"));
        QCOMPARE(first(open_model_part(path(""), "fp16")), std::string("half"));
        QTemporaryDir shards;
        save(shards.filePath("model-1.safetensors").toStdString(), "a"), save(shards.filePath("model-2.safetensors").toStdString(), "b");
        const auto write = [&](const QByteArray& text) {
            QFile file(shards.filePath("model.safetensors.index.json"));
            QVERIFY(file.open(QIODevice::WriteOnly));
            file.write(text);
        };
        write(R"({"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}})");
        QCOMPARE(open_model_part(shards.path().toStdString()).size(), std::size_t(2));
        for (const char* bad : {R"({"weight_map": {"a": "../model-1.safetensors"}})", R"({"weight_map": {}})", "[1]", "{"}) {
            write(bad);
            QVERIFY_EXCEPTION_THROWN(open_model_part(shards.path().toStdString()), gpu::Error);
        }
        QVERIFY_EXCEPTION_THROWN(open_model_part(shards.path().toStdString() + "/none"), gpu::Error);
        QVERIFY(!is_model_folder(shards.path().toStdString()));
    }
};

HEDDLE_TEST(detect, DetectTest)
#include "detect.moc"
