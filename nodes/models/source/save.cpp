#include "nodes/models/source/save.h"

#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <array>
#include <functional>

#include "gpu/base/error.h"
#include "gpu/io/atomic_file.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/models/clip/keys.h"
#include "nodes/models/clip/text.h"
#include "nodes/models/clip/tokenizer.h"
#include "nodes/models/detect/folder.h"
#include "nodes/models/source/source.h"
#include "nodes/models/unet/keys.h"
#include "nodes/models/unet/unet.h"
#include "nodes/models/vae/kl.h"
#include "nodes/models/vae/load.h"

namespace nodes {
namespace {

using gpu::Dtype;

// Tensors to write: those without bytes are made when their turn comes.
struct SaveList {
    std::vector<gpu::TensorEntry> entries;
    std::vector<std::function<std::vector<std::byte>()>> make;
    std::vector<std::shared_ptr<const void>> keep;
};

bool touched(const std::string& name, const Patches& patches) {
    for (const WeightPatch* patch : of_kind<WeightPatch>(patches))
        if (patch->touches(name)) return true;
    return false;
}

// Live branches are baked too: up (down x) beside W x is (W + up down) x.
Tensor baked(const std::string& name, const gpu::Weight& weight, const Patches& patches) {
    Tensor value = patched_weight(name, gpu::to_leaf(weight), patches);
    for (const WeightPatch* patch : of_kind<WeightPatch>(patches))
        for (const gpu::Branch& branch : patch->branches(name, weight.entry.shape))
            value = value + gpu::reshape(gpu::matmul(branch.up, gpu::reshape(branch.down, {branch.down.size(0), -1})), value.shape());
    return value;
}

bool has_branches(const std::string& name, const gpu::Shape& shape, const Patches& patches) {
    for (const WeightPatch* patch : of_kind<WeightPatch>(patches))
        if (!patch->branches(name, shape).empty()) return true;
    return false;
}

Dtype type_of(const gpu::TensorEntry& entry, SavedType type) {
    switch (type) {
        case SavedType::F32: return Dtype::F32;
        case SavedType::F16: return Dtype::F16;
        case SavedType::BF16: return Dtype::BF16;
        case SavedType::Keep: break;
    }
    if (entry.blocks) return Dtype::F16;
    return entry.dtype == Dtype::F16 || entry.dtype == Dtype::BF16 || entry.dtype == Dtype::F32 ? entry.dtype : Dtype::F32;
}

void add(SaveList& list, const std::string& saved_name, gpu::Shape shape, const std::string& name, const gpu::Weight& weight, const Patches& patches, SavedType type) {
    gpu::TensorEntry entry = weight.entry;
    entry.name = saved_name;
    const Dtype dtype = type_of(weight.entry, type);
    list.keep.push_back(weight.owner);
    if (!touched(name, patches) && !has_branches(name, weight.entry.shape, patches) && !weight.entry.blocks && (dtype == weight.entry.dtype || (type == SavedType::Keep && !weight.entry.foreign.empty()))) {
        entry.shape = std::move(shape);
        entry.bytes = gpu::used_bytes(weight.entry);
        list.entries.push_back(std::move(entry));
        list.make.push_back({});
        return;
    }
    list.entries.push_back({.name = saved_name, .dtype = dtype, .shape = std::move(shape)});
    list.make.push_back([name, weight, patches, dtype] {
        const Tensor value = gpu::cast(baked(name, weight, patches), dtype);
        std::vector<std::byte> bytes(tensor_bytes(value));
        gpu::read(value, bytes);
        return bytes;
    });
}

void write(const SaveList& list, const std::string& path, const std::map<std::string, std::string>& metadata) {
    gpu::save_safetensors(path, list.entries, metadata, [&](std::size_t i) { return list.make[i] ? list.make[i]() : std::vector<std::byte>(); });
}

void add_unet(SaveList& list, const SavedModel::Unet& unet, ModelLayout layout, const std::string& prefix, SavedType type) {
    const UnetNames names{UnetLayout(unet.config)};
    for (const auto& [name, weight] : unet.weights) {
        const std::string saved = layout == ModelLayout::Ldm ? name : names.diffusers(name);
        gpu::check(!saved.empty(), gpu::ErrorCode::InvalidGraph, "save UNet: expected names that diffusers has, got {}", name);
        add(list, prefix + saved, weight.entry.shape, name, weight, unet.patches, type);
    }
}

void add_vae(SaveList& list, const SavedModel::Vae& vae, ModelLayout layout, const std::string& prefix, SavedType type) {
    const std::vector<gpu::TensorEntry> entries = vae_entries(vae.weights, layout == ModelLayout::Ldm ? VaeLayout::Ldm : VaeLayout::Diffusers, prefix);
    std::size_t at = 0;      // in the order of the weights
    for (const auto& [name, weight] : vae.weights) {
        const gpu::TensorEntry& entry = entries[at++];
        add(list, entry.name, entry.shape, name, weight, {}, type);
    }
}

// A tower's weights with its patches in them, in memory where they change.
gpu::Weights baked_text(const SavedModel::Text& text, SavedType type) {
    gpu::Weights made;
    for (const auto& [name, weight] : text.weights) {
        SaveList one;
        add(one, name, weight.entry.shape, name, weight, text.patches, type);
        gpu::Weight baked{one.entries[0], weight.owner, weight.file};
        if (one.make[0]) {
            const auto bytes = std::make_shared<const std::vector<std::byte>>(one.make[0]());
            baked.entry.bytes = *bytes, baked.owner = bytes;
        }
        made.emplace(name, std::move(baked));
    }
    return made;
}

void add_text(SaveList& list, const SavedModel::Text& text, ClipLayout layout, const std::string& prefix, SavedType type) {
    for (auto& [name, weight] : clip_text_file_weights(baked_text(text, type), layout, prefix)) {
        list.entries.push_back(weight.entry);
        list.make.push_back({});
        list.keep.push_back(weight.owner);
    }
}

// Where the text encoders of a family stand in its checkpoints.
struct TextPlace {
    const char* prefix;
    ClipLayout layout;
};
TextPlace text_place(const std::string& family, std::size_t tower) {
    if (family == "sd2") return {"cond_stage_model.model.", ClipLayout::OpenClip};
    if (family == "sdxl-refiner") return {"conditioner.embedders.0.model.", ClipLayout::OpenClip};
    if (tower == 1) return {"conditioner.embedders.1.model.", ClipLayout::OpenClip};
    if (family == "sdxl") return {"conditioner.embedders.0.transformer.", ClipLayout::Transformers};
    return {"cond_stage_model.transformer.", ClipLayout::Transformers};
}

template <typename T, typename Get>
QJsonArray list_of(const std::vector<T>& items, const Get& get) {
    QJsonArray array;
    for (const T& item : items) array.append(get(item));
    return array;
}

QJsonObject unet_json(const UnetConfig& config) {
    using Level = UnetConfig::Level;
    const auto attends = [](const std::vector<int>& depths) { return !depths.empty() && depths.back() > 0; };
    std::vector<Level> up(config.levels.rbegin(), config.levels.rend());
    QJsonObject json{
        {"_class_name", "UNet2DConditionModel"},
        {"act_fn", "silu"},
        {"attention_head_dim", list_of(config.levels, [](const Level& level) { return level.heads; })},      // numbers of heads, whatever the name
        {"block_out_channels", list_of(config.levels, [](const Level& level) { return level.channels; })},
        {"center_input_sample", false},
        {"cross_attention_dim", config.context_width},
        {"down_block_types", list_of(config.levels, [&](const Level& level) { return attends(level.input_depths) ? "CrossAttnDownBlock2D" : "DownBlock2D"; })},
        {"up_block_types", list_of(up, [&](const Level& level) { return attends(level.output_depths) ? "CrossAttnUpBlock2D" : "UpBlock2D"; })},
        {"flip_sin_to_cos", true},
        {"freq_shift", 0},
        {"in_channels", config.in_channels},
        {"layers_per_block", static_cast<int>(config.levels[0].input_depths.size())},
        {"mid_block_type", "UNetMidBlock2DCrossAttn"},
        {"norm_eps", 1e-5},
        {"norm_num_groups", config.groups},
        {"out_channels", config.out_channels},
        {"transformer_layers_per_block", list_of(config.levels, [](const Level& level) { return level.input_depths.empty() ? 1 : std::max(1, level.input_depths.back()); })},
        {"use_linear_projection", config.linear_projection}};
    if (config.label_width > 0) {
        json["addition_embed_type"] = "text_time";
        json["addition_time_embed_dim"] = config.size_embedding;
        json["projection_class_embeddings_input_dim"] = config.label_width;
    }
    if (config.guidance_width > 0) json["time_cond_proj_dim"] = config.guidance_width;
    return json;
}

QJsonObject vae_json(const VaeConfig& config, const LatentFormat& format) {
    const VaeConfig::Half& half = config.decoder.levels.empty() ? config.encoder : config.decoder;
    QJsonArray down, up;
    for (std::size_t i = 0; i < half.levels.size(); ++i) down.append("DownEncoderBlock2D"), up.append("UpDecoderBlock2D");
    return {{"_class_name", "AutoencoderKL"},
            {"act_fn", "silu"},
            {"block_out_channels", list_of(half.levels, [](const VaeConfig::Level& level) { return level.width; })},
            {"down_block_types", down},
            {"up_block_types", up},
            {"in_channels", config.picture_channels},
            {"out_channels", config.picture_channels},
            {"latent_channels", config.channels},
            {"layers_per_block", config.encoder.levels.empty() ? config.decoder.levels[0].blocks - 1 : config.encoder.levels[0].blocks},
            {"norm_num_groups", config.groups},
            {"scaling_factor", format.scale},
            {"use_quant_conv", config.quant_conv},
            {"use_post_quant_conv", config.post_quant_conv}};
}

QJsonObject text_json(const gpu::Weights& weights) {
    const ClipTextConfig config = read_clip_text_config(weights);
    const bool projects = weights.contains("text_projection.weight");
    return {{"architectures", QJsonArray{projects ? "CLIPTextModelWithProjection" : "CLIPTextModel"}},
            {"model_type", "clip_text_model"},
            {"hidden_act", config.activation == ClipActivation::QuickGelu ? "quick_gelu" : "gelu"},
            {"hidden_size", config.width},
            {"intermediate_size", config.inner},
            {"max_position_embeddings", config.positions},
            {"num_attention_heads", config.heads},
            {"num_hidden_layers", config.layers},
            {"projection_dim", projects ? config.projection : config.width},
            {"vocab_size", config.vocabulary}};
}

QJsonObject scheduler_json(const ModelInfo& info) {
    static constexpr const char* rules[] = {"linear", "scaled_linear", "squaredcos_cap_v2"};
    static constexpr const char* types[] = {"epsilon", "v_prediction", "sample"};
    return {{"_class_name", "DDIMScheduler"},
            {"beta_schedule", rules[static_cast<int>(info.noise.rule)]},
            {"beta_start", info.noise.beta_start},
            {"beta_end", info.noise.beta_end},
            {"num_train_timesteps", info.noise.count},
            {"prediction_type", types[static_cast<int>(info.prediction)]},
            {"rescale_betas_zero_snr", info.noise.zero_terminal_snr},
            {"clip_sample", false},
            {"set_alpha_to_one", false},
            {"steps_offset", 1}};
}

// The files of a tokenizer's folder, by name, as transformers reads them.
std::map<QString, std::string> tokenizer_files(const std::string& merges, int positions) {
    const ClipTokenizer tokenizer(merges);
    const std::vector<std::string> vocabulary = tokenizer.vocabulary();
    QJsonObject ids;
    for (std::size_t id = 0; id < vocabulary.size(); ++id) ids[QString::fromStdString(vocabulary[id])] = static_cast<int>(id);
    const auto special = [&](int id) { return QString::fromStdString(vocabulary[static_cast<std::size_t>(id)]); };
    const QJsonObject names{{"bos_token", special(tokenizer.start())}, {"eos_token", special(tokenizer.end())}, {"pad_token", special(tokenizer.end())},
                            {"unk_token", special(tokenizer.end())}};
    QJsonObject config = names;
    config["tokenizer_class"] = "CLIPTokenizer", config["do_lower_case"] = true, config["model_max_length"] = positions;
    const auto text = [](const QJsonObject& object) { return QJsonDocument(object).toJson().toStdString(); };
    return {{"merges.txt", merges}, {"vocab.json", text(ids)}, {"tokenizer_config.json", text(config)}, {"special_tokens_map.json", text(names)}};
}

std::vector<std::string> save_folder(const SavedModel& model, const std::string& path, const SaveOptions& options) {
    const QDir folder(QString::fromStdString(path));
    std::vector<std::string> wrote;
    const auto at = [&](const QString& part, const QString& name) {
        gpu::check(folder.mkpath(part), gpu::ErrorCode::Io, "{}: can not make the folder {}", path, part.toStdString());
        return folder.filePath(part + "/" + name).toStdString();
    };
    const auto json = [&](const std::string& file, const QJsonObject& object) {
        gpu::write_file(file, std::string_view(QJsonDocument(object).toJson().toStdString()));
        wrote.push_back(file);
    };
    const auto weights = [&](const std::string& file, const SaveList& list) {
        write(list, file, options.metadata);
        wrote.push_back(file);
    };
    QJsonObject index{{"_class_name", model.text.size() > 1 ? "StableDiffusionXLPipeline" : "StableDiffusionPipeline"}};
    if (model.unet) {
        SaveList list;
        add_unet(list, *model.unet, ModelLayout::Diffusers, "", options.type);
        weights(at("unet", "diffusion_pytorch_model.safetensors"), list);
        json(at("unet", "config.json"), unet_json(model.unet->config));
        json(at("scheduler", "scheduler_config.json"), scheduler_json(model.unet->info));
        index["unet"] = QJsonArray{"diffusers", "UNet2DConditionModel"};
        index["scheduler"] = QJsonArray{"diffusers", "DDIMScheduler"};
    }
    if (model.vae) {
        SaveList list;
        add_vae(list, *model.vae, ModelLayout::Diffusers, "", options.type);
        weights(at("vae", "diffusion_pytorch_model.safetensors"), list);
        json(at("vae", "config.json"), vae_json(model.vae->config, model.vae->format));
        index["vae"] = QJsonArray{"diffusers", "AutoencoderKL"};
    }
    for (std::size_t tower = 0; tower < model.text.size(); ++tower) {
        // A refiner's one encoder is SDXL's second.
        const QString part = tower == 1 || model.family == "sdxl-refiner" ? "text_encoder_2" : "text_encoder";
        SaveList list;
        add_text(list, model.text[tower], ClipLayout::Transformers, "", options.type);
        weights(at(part, "model.safetensors"), list);
        json(at(part, "config.json"), text_json(model.text[tower].weights));
        index[part] = QJsonArray{"transformers", model.text[tower].weights.contains("text_projection.weight") ? "CLIPTextModelWithProjection" : "CLIPTextModel"};
        if (model.text[tower].merges.empty()) continue;
        const QString words = part == "text_encoder" ? "tokenizer" : "tokenizer_2";
        for (const auto& [name, text] : tokenizer_files(model.text[tower].merges, read_clip_text_config(model.text[tower].weights).positions)) {
            wrote.push_back(at(words, name));
            gpu::write_file(wrote.back(), std::string_view(text));
        }
        index[words] = QJsonArray{"transformers", "CLIPTokenizer"};
    }
    json(folder.filePath("model_index.json").toStdString(), index);
    return wrote;
}

}  // namespace

SavedModel read_saved_model(const std::string& path, const std::string& variant) {
    SavedModel model;
    const bool folder = is_model_folder(path);
    const std::vector<gpu::Checkpoint> files = folder ? std::vector<gpu::Checkpoint>() : open_model_part(path, variant);
    const ModelFacts facts = folder ? ModelFacts{.kind = FileKind::Checkpoint} : recognise(files);
    if (!folder)
        expect_kind(files, std::array{FileKind::Checkpoint, FileKind::Unet, FileKind::Vae, FileKind::TextEncoder}, "a checkpoint, a UNet, an autoencoder or a text encoder", false);
    const auto take_unet = [&](const ModelSource& source) {
        // A form that samplers do not know can be saved all the same.
        const Model loaded = load_model(source, source.facts.prediction == "edm" ? std::optional(PredictionType::Sample) : std::nullopt);
        const Unet& unet = dynamic_cast<const Unet&>(loaded.base());
        model.unet = {unet.weights(), {}, unet.config(), loaded.info()};
        model.family = loaded.info().family;
    };
    const auto take_vae = [&](const gpu::Checkpoint& file) {
        SavedModel::Vae vae;
        add_kl_weights(vae.weights, file);
        vae.config = read_vae_config(vae.weights);
        vae.format = guess_latent_format(file, vae.config.channels);
        model.vae = std::move(vae);
    };
    const auto take_text = [&](std::span<const gpu::Checkpoint> from) {
        for (const ClipPlace& place : find_clip_text(from)) {
            SavedModel::Text text;
            add_clip_text_weights(text.weights, from, place.prefix);
            model.text.push_back(std::move(text));
        }
    };
    if (facts.kind == FileKind::Unet) {
        take_unet(open_unet_source(path, variant));
    } else if (facts.kind == FileKind::Vae) {
        take_vae(files[0]);
    } else if (facts.kind == FileKind::TextEncoder) {
        take_text(files);
        model.family = facts.family;
    } else {
        const ModelSource source = open_model_source(path, variant);
        take_unet(source);
        if (source.vae.size() == 1 && find_vae(source.vae[0])) take_vae(source.vae[0]);
        for (const auto& text : source.text) take_text(text);
    }
    return model;
}

std::vector<std::string> save_model(const SavedModel& model, const std::string& path, const SaveOptions& options) {
    gpu::check(model.parts() > 0, gpu::ErrorCode::InvalidGraph, "save model: expected a UNet, an autoencoder or text encoders, got none");
    const bool file = path.ends_with(".safetensors");
    if (options.layout == ModelLayout::Diffusers && !file) return save_folder(model, path, options);
    gpu::check(file, gpu::ErrorCode::InvalidGraph, "save model: expected a name that ends in .safetensors for {}, got {}",
               model.parts() == 1 ? "one part" : "a checkpoint in ldm's layout", path);
    gpu::check(model.parts() == 1 || options.layout == ModelLayout::Ldm, gpu::ErrorCode::InvalidGraph,
               "save model: expected the name of a folder for several parts in diffusers' layout, got {}", path);
    const bool alone = model.parts() == 1;
    SaveList list;
    if (model.unet) add_unet(list, *model.unet, options.layout, alone ? "" : "model.diffusion_model.", options.type);
    if (model.vae) add_vae(list, *model.vae, options.layout, alone ? "" : "first_stage_model.", options.type);
    for (std::size_t tower = 0; tower < model.text.size(); ++tower) {
        TextPlace place = text_place(model.family, tower);
        if (alone && model.text.size() == 1) place.prefix = "";
        if (alone && options.layout == ModelLayout::Diffusers) {
            gpu::check(model.text.size() == 1, gpu::ErrorCode::InvalidGraph, "save model: expected the name of a folder for two text encoders, got {}", path);
            place.layout = ClipLayout::Transformers;
        }
        add_text(list, model.text[tower], place.layout, place.prefix, options.type);
    }
    // What ldm's files say themselves where shapes do not tell.
    std::map<std::string, std::string> metadata = options.metadata;
    if (model.unet && model.unet->info.prediction == PredictionType::V) metadata.emplace("modelspec.prediction_type", "v");
    if (model.unet && model.unet->info.prediction == PredictionType::Epsilon) metadata.emplace("modelspec.prediction_type", "epsilon");
    write(list, path, metadata);
    return {path};
}

}  // namespace nodes
