#include "nodes/models/clip/load.h"

#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QStandardPaths>
#include <algorithm>
#include <array>
#include <filesystem>
#include <mutex>

#include "gpu/base/error.h"
#include "nodes/models/clip/keys.h"
#include "nodes/models/clip/tower.h"
#include "nodes/models/detect/detect.h"

namespace nodes {
namespace {

namespace fs = std::filesystem;

constexpr const char* merges_names[] = {"merges.txt", "bpe_simple_vocab_16e6.txt", "bpe_simple_vocab_16e6.txt.gz"};

std::string in_folder(const fs::path& folder) {
    std::error_code ignored;
    for (const char* name : merges_names)
        if (fs::is_regular_file(folder / name, ignored)) return (folder / name).string();
    return {};
}

// config.json of diffusers beside a file, an empty object where there is none.
QJsonObject config_beside(const std::string& file) {
    QFile config(QString::fromStdString((fs::path(file).parent_path() / "config.json").string()));
    constexpr qint64 most = 1 << 20;
    if (!config.open(QIODevice::ReadOnly) || config.size() > most) return {};
    return QJsonDocument::fromJson(config.readAll()).object();
}

std::optional<ClipActivation> activation_of(const QJsonObject& config) {
    const QString name = config["hidden_act"].toString();
    if (name == "quick_gelu") return ClipActivation::QuickGelu;
    if (name == "gelu") return ClipActivation::Gelu;
    return std::nullopt;
}

// A tower and the file that it is in.
struct Found {
    const gpu::Checkpoint* file;
    ClipPlace place;
};

ClipTextHints hints_for(const Found& tower, const ClipTextHints& given, ClipActivation usual) {
    ClipTextHints hints = given;
    const QJsonObject config = config_beside(tower.file->path());
    // A config.json beside a checkpoint may be another part's: only that of a text encoder counts.
    if (config["hidden_size"].toInt() == tower.place.width) {
        if (hints.heads == 0) hints.heads = config["num_attention_heads"].toInt();
        if (!hints.activation) hints.activation = activation_of(config);
    }
    if (!hints.activation) hints.activation = usual;
    return hints;
}

std::string guessed_family(const std::vector<Found>& towers) {
    if (towers.size() == 2) return "sdxl";
    // In a checkpoint the place tells, whatever the width.
    const ClipPlace& place = towers[0].place;
    if (place.prefix.starts_with("conditioner.")) return "sdxl-refiner";
    if (place.prefix.starts_with("cond_stage_model.")) return place.layout == ClipLayout::OpenClip ? "sd2" : "sd1";
    return place.width <= 768 ? "sd1" : place.width <= 1024 ? "sd2" : "sdxl-refiner";
}

class LoadedVision final : public VisionTower {
public:
    LoadedVision(gpu::Weights weights, const ClipVisionConfig& config) : weights_(std::move(weights)), config_(config) {
        const Scope shapes = Scope::weights(weights_);
        const ClipVision model(shapes, config_);
        shapes.finish("vision tower");
        info_ = {.name = config.projection == 1280 ? "clip-g" : config.projection == 1024 ? "clip-h" : config.projection == 768 ? "clip-l" : "clip",
                 .width = config.width, .tokens = config.grid() * config.grid() + 1, .image = config.image, .projection = config.projection};
    }
    const VisionTowerInfo& info() const override { return info_; }
    const gpu::Weights& weights() const override { return weights_; }
    Tensor pixels(const Tensor& colours, VisionFit fit) const override { return clip_pixels(colours, config_.image, fit); }
    VisionStates operator()(const Tensor& pixels) const override {
        std::call_once(once_, [&] { model_.emplace(Scope::weights(weights_), config_); });
        const std::vector<Tensor> states = model_->states(pixels);
        VisionStates made{.last = states.back(), .penultimate = states[states.size() - 2], .pooled = model_->pooled(states.back()), .projected = {}};
        if (model_->can_project()) made.projected = model_->projected(made.pooled);
        return made;
    }
    std::string summary() const override {
        return gpu::format("{} vision tower, width {}, {} layers, {} px", info_.name, config_.width, config_.layers, config_.image);
    }

private:
    gpu::Weights weights_;
    ClipVisionConfig config_;
    VisionTowerInfo info_;
    mutable std::once_flag once_;
    mutable std::optional<ClipVision> model_;
};

}  // namespace

std::string find_merges(std::span<const std::string> model_files) {
    std::vector<fs::path> folders;
    for (const std::string& file : model_files) {
        const fs::path folder = fs::path(file).parent_path();
        for (const char* near : {"../tokenizer", "tokenizer", "."}) folders.push_back(folder / near);
    }
    std::string places;
    for (const QString& data : QStandardPaths::standardLocations(QStandardPaths::GenericDataLocation)) {
        folders.push_back(fs::path(data.toStdString()) / "heddle" / "tokenizers");
        if (places.empty()) places = folders.back().string();
    }
    for (const fs::path& folder : folders)
        if (std::string found = in_folder(folder); !found.empty()) return found;
    throw gpu::Error(gpu::ErrorCode::MissingFile,
                     "CLIP's tokenizer: expected merges.txt in the folder \"tokenizer\" of the model, beside its file, or in {}, got none of these. merges.txt lies in the "
                     "folder \"tokenizer\" of every SD 1.x, 2.x and SDXL model in diffusers' layout; CLIP's own sources have it as bpe_simple_vocab_16e6.txt.gz. "
                     "All of them are the same list: put one there, or name it as the tokenizer", places);
}

Encoder make_text_encoder(std::span<const gpu::Checkpoint> files, const TextLoadOptions& options) {
    std::vector<Found> towers;
    std::vector<std::string> names;
    for (const gpu::Checkpoint& file : files) {
        names.push_back(file.path());
        for (ClipPlace& place : find_clip_text(std::span(&file, 1))) towers.push_back({&file, std::move(place)});
    }
    if (towers.empty() && !files.empty()) expect_kind(files, std::array{FileKind::TextEncoder, FileKind::Checkpoint}, "a text encoder of CLIP, alone or in a checkpoint");
    const std::string file_name = files.empty() ? "no file" : files[0].path();
    gpu::check(!towers.empty() && towers.size() <= 2, gpu::ErrorCode::BadFile, "{}: expected one or two text encoders of CLIP, got {}", file_name,
               towers.empty() ? files.empty() || files[0].entries().empty() ? std::string("none") : "tensors such as " + files[0].entries()[0].name
                              : gpu::format("{} of them", towers.size()));
    std::stable_sort(towers.begin(), towers.end(), [](const Found& a, const Found& b) { return a.place.width < b.place.width; });
    const std::string family = options.family.empty() ? guessed_family(towers) : options.family;
    gpu::check(family == "sd1" || family == "sd2" || family == "sdxl" || family == "sdxl-refiner", gpu::ErrorCode::InvalidGraph,
               "text encoder: expected a family sd1, sd2, sdxl or sdxl-refiner, got \"{}\"", family);
    const std::size_t wanted = family == "sdxl" ? 2 : 1;
    gpu::check(towers.size() == wanted, gpu::ErrorCode::BadFile, "{}: expected {} of CLIP for {}, got {}{}", file_name,
               wanted == 2 ? "two text encoders" : "one text encoder", family, towers.size(), wanted == 2 ? ": SDXL in folders has a second file in text_encoder_2" : "");
    const auto tokenizer = std::make_shared<const ClipTokenizer>(ClipTokenizer::open(options.tokenizer.empty() ? find_merges(names) : options.tokenizer));
    std::vector<TowerUse> uses;
    for (std::size_t i = 0; i < towers.size(); ++i) {
        const bool openai = family == "sd1" || (family == "sdxl" && i == 0);
        gpu::Weights weights;
        add_clip_text_weights(weights, *towers[i].file, towers[i].place.prefix);
        ClipTowerOptions made{.hints = hints_for(towers[i], options.hints, openai ? ClipActivation::QuickGelu : ClipActivation::Gelu), .pad_with_end = openai};
        // diffusers' copies of SD 2's encoder lack the layer that is not used.
        made.dropped = family == "sd2" && read_clip_text_config(weights, made.hints).layers == 23 ? 1 : 0;
        TowerUse use{.tower = make_clip_tower(std::move(weights), tokenizer, made), .drop = family == "sd1" ? 0 : 1, .norm = family == "sd1" || family == "sd2",
                     .pooled = family == "sdxl-refiner" || (family == "sdxl" && i == 1)};
        gpu::check(!use.pooled || use.tower->info().projection > 0, gpu::ErrorCode::BadFile, "{}: expected text_projection, which {} reads, got none", towers[i].file->path(), family);
        uses.push_back(std::move(use));
    }
    return {family, std::move(uses)};
}

Encoder load_text_encoder(const std::vector<std::string>& files, const TextLoadOptions& options) {
    std::vector<gpu::Checkpoint> open;
    for (const std::string& file : files)
        if (!file.empty()) open.push_back(gpu::open_checkpoint(file));
    return make_text_encoder(open, options);
}

Vision make_vision(std::span<const gpu::Checkpoint> files, const ClipVisionHints& given) {
    if (find_clip_vision(files).empty()) expect_kind(files, std::array{FileKind::VisionEncoder}, "an image encoder of CLIP");
    gpu::Weights weights;
    add_clip_vision_weights(weights, files);
    ClipVisionHints hints = given;
    const QJsonObject whole = config_beside(files[0].path()), config = whole.contains("vision_config") ? whole["vision_config"].toObject() : whole;
    const ClipVisionConfig sizes = read_clip_vision_config(weights);
    if (config["hidden_size"].toInt() == sizes.width) {
        if (hints.heads == 0) hints.heads = config["num_attention_heads"].toInt();
        if (!hints.activation) hints.activation = activation_of(config);
    }
    return make_vision(std::move(weights), hints);
}

Vision make_vision(gpu::Weights weights, const ClipVisionHints& hints) {
    const ClipVisionConfig config = read_clip_vision_config(weights, hints);
    return {std::make_shared<const LoadedVision>(std::move(weights), config)};
}

}  // namespace nodes
