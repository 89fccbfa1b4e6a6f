#include "nodes/models/source/source.h"

#include <QFileInfo>
#include <QJsonArray>
#include <array>

#include "gpu/base/error.h"
#include "nodes/models/clip/keys.h"
#include "nodes/models/detect/folder.h"
#include "nodes/models/detect/signatures.h"
#include "nodes/models/unet/keys.h"
#include "nodes/models/unet/unet.h"
#include "nodes/models/vae/kl.h"
#include "nodes/models/vae/load.h"

namespace nodes {
namespace {

using gpu::check;
using gpu::ErrorCode;

ModelSource from_folder(const std::string& path, const std::string& variant) {
    ModelFolder folder = open_model_folder(path, variant);
    ModelSource source{.path = folder.path, .folder = true};
    source.unet = folder.parts["unet"];
    source.vae = folder.parts["vae"];
    for (const char* part : {"text_encoder", "text_encoder_2"})
        if (const auto at = folder.parts.find(part); at != folder.parts.end()) source.text.push_back(at->second);
    source.unet_config = folder.configs["unet"];
    source.scheduler = folder.scheduler;
    check(!source.unet.empty(), ErrorCode::BadFile, "{}: expected a folder \"unet\" beside model_index.json, got none", folder.path);
    source.facts = recognise(source.unet);
    return source;
}

// Nothing in a UNet tells how much of what label_emb reads is pooled text; the widest of its text encoders does. 0: unknown.
int pooled_width(const ModelSource& source) {
    int widest = 0, pooled = 0;
    for (const std::vector<gpu::Checkpoint>& files : source.text)
        for (const ClipPlace& place : find_clip_text(files)) {
            if (place.width <= widest) continue;
            widest = place.width;
            const bool turned = place.layout == ClipLayout::OpenClip;
            const gpu::TensorEntry* projection = FileNames(files).find(place.prefix + (turned ? "text_projection" : "text_projection.weight"));
            pooled = projection && projection->shape.size() == 2 ? static_cast<int>(projection->shape[turned ? 1 : 0]) : 0;
        }
    return pooled;
}

}  // namespace

ModelSource open_model_source(const std::string& path, const std::string& variant) {
    if (is_model_folder(path)) return from_folder(path, variant);
    ModelSource source{.path = path};
    source.unet = open_model_part(path, variant);
    source.facts = recognise(source.unet);
    if (source.facts.kind == FileKind::Unet)
        throw gpu::Error(ErrorCode::BadFile, "{}: expected a checkpoint with UNet, autoencoder and text encoder, got {} alone: load_unet reads it", path,
                         title_of(source.facts));
    expect_kind(source.unet, std::array{FileKind::Checkpoint}, "a checkpoint with UNet, autoencoder and text encoder, or a folder with a model_index.json", false);
    source.vae = source.unet;
    source.text = {source.unet};
    return source;
}

ModelSource open_unet_source(const std::string& path, const std::string& variant) {
    if (is_model_folder(path)) return from_folder(path, variant);
    ModelSource source{.path = path};
    const QFileInfo info(QString::fromStdString(path));
    source.unet = open_model_part(path, variant);
    source.facts = recognise(source.unet);
    expect_kind(source.unet, std::array{FileKind::Checkpoint, FileKind::Unet}, "a UNet, alone or in a checkpoint", false);
    const QString beside = (info.isDir() ? info.filePath() : info.path()) + "/config.json";
    if (source.facts.layout == "diffusers" && QFileInfo::exists(beside)) source.unet_config = read_json_object(beside.toStdString());
    return source;
}

UnetHints unet_hints(const QJsonObject& config) {
    UnetHints hints;
    // The field holds numbers of heads, whatever its name says; newer files have them under their own name.
    for (const char* key : {"attention_head_dim", "num_attention_heads"}) {
        const QJsonValue value = config[key];
        std::vector<int> heads;
        if (value.isDouble()) heads = {value.toInt()};
        for (const QJsonValue& one : value.toArray()) heads.push_back(one.toInt());
        if (!heads.empty()) hints.heads = heads;
    }
    hints.groups = config["norm_num_groups"].toInt();
    hints.size_embedding = config["addition_time_embed_dim"].toInt();
    return hints;
}

void apply_scheduler(ModelInfo& info, const QJsonObject& scheduler) {
    const QString type = scheduler["prediction_type"].toString();
    if (type == "epsilon") info.prediction = PredictionType::Epsilon;
    if (type == "v_prediction") info.prediction = PredictionType::V;
    if (type == "sample") info.prediction = PredictionType::Sample;
    const QString rule = scheduler["beta_schedule"].toString();
    if (rule == "linear") info.noise.rule = BetaRule::Linear;
    if (rule == "scaled_linear") info.noise.rule = BetaRule::ScaledLinear;
    if (rule == "squaredcos_cap_v2") info.noise.rule = BetaRule::Cosine;
    if (scheduler["beta_start"].isDouble()) info.noise.beta_start = scheduler["beta_start"].toDouble();
    if (scheduler["beta_end"].isDouble()) info.noise.beta_end = scheduler["beta_end"].toDouble();
    if (const int count = scheduler["num_train_timesteps"].toInt(); count >= 2) info.noise.count = count;
    if (scheduler["rescale_betas_zero_snr"].toBool()) info.noise.zero_terminal_snr = true;
}

Model load_model(const ModelSource& source, std::optional<PredictionType> prediction) {
    gpu::Weights weights;
    add_unet_weights(weights, source.unet);
    UnetHints hints = unet_hints(source.unet_config);
    if (source.facts.family != "sd2") hints.pooled_width = pooled_width(source);      // SD 2.1 unCLIP's label is no pooled text
    const UnetConfig config = read_unet_config(weights, hints);
    ModelInfo info = unet_info(config);
    if (source.facts.prediction == "v") info.prediction = PredictionType::V;
    info.noise.zero_terminal_snr = source.facts.zero_terminal_snr;
    apply_scheduler(info, source.scheduler);
    if (prediction) info.prediction = *prediction;
    check(prediction || source.facts.prediction != "edm", ErrorCode::BadFile,
          "{}: expected a model that predicts noise or v, got one of EDM's form ({}), which samplers do not know; a chosen prediction type tries it all the same", source.path,
          source.facts.variant);
    return Model(make_unet(std::move(weights), config, std::move(info)));
}

Vae load_model_vae(const ModelSource& source) {
    check(!source.vae.empty(), ErrorCode::BadFile, "{}: expected a folder \"vae\" with an autoencoder, got none", source.path);
    if (source.vae.size() == 1 && !source.vae[0].path().empty()) {
        const bool xl = source.facts.family.starts_with("sdxl");
        return load_vae(source.vae[0].path(), source.folder ? "" : xl ? "sdxl" : "sd1");
    }
    throw gpu::Error(ErrorCode::BadFile, "{}: expected an autoencoder in one file, got {}", source.path, source.vae.size());
}

}  // namespace nodes
