#include "nodes/models/vae/load.h"

#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <algorithm>
#include <cmath>
#include <filesystem>

#include "gpu/base/error.h"
#include "nodes/models/detect/detect.h"
#include "nodes/models/taesd/taesd.h"
#include "nodes/models/vae/kl.h"
#include "nodes/models/vae/vq.h"

namespace nodes {
namespace {

constexpr const char* expected = "an autoencoder (KL, VQ or tiny, in ldm's or diffusers' layout)";
constexpr const char* families[] = {"sd1", "sdxl", "sd3", "flux"};

// diffusers' description of a model, which lies beside its weights.
QJsonObject config_beside(const std::string& path) {
    QFile file(QString::fromStdString((std::filesystem::path(path).parent_path() / "config.json").string()));
    if (file.size() > (1 << 20) || !file.open(QIODevice::ReadOnly)) return {};
    return QJsonDocument::fromJson(file.readAll()).object();
}

VaeHints hints_of(const QJsonObject& config) {
    const int groups = config["norm_num_groups"].toInt();
    return {.groups = groups > 0 && groups <= 1024 ? groups : 0};
}

bool is_tiny(const gpu::Checkpoint& file) {
    for (const char* mark : {"14.weight", "19.weight", "encoder.layers.0.weight", "decoder.layers.0.weight", "taesd_encoder.0.weight",
                             "taesd_decoder.1.weight", "encoder.14.weight", "decoder.19.weight"})
        if (file.find(mark)) return true;
    return false;
}

}  // namespace

LatentFormat guess_latent_format(const gpu::Checkpoint& file, int channels, const std::string& family) {
    if (!family.empty()) return latent_format(family, channels);
    const QJsonObject config = config_beside(file.path());
    if (config["scaling_factor"].isDouble()) {
        LatentFormat format = latent_format("", channels);
        format.scale = config["scaling_factor"].toDouble();
        format.shift = config["shift_factor"].toDouble();
        for (const char* each : families) {
            const LatentFormat known = latent_format(each, channels);
            if (known.scale != 1 && std::abs(known.scale - format.scale) < 1e-6 && std::abs(known.shift - format.shift) < 1e-6) return known;
        }
        return format;
    }
    std::string name = std::filesystem::path(file.path()).stem().string();
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    const auto named = [&](std::string_view part) { return name.find(part) != std::string::npos; };
    if (channels == 16) return latent_format(named("sd3") ? "sd3" : "flux", channels);
    if (channels != 4) return latent_format("", channels);
    const bool xl = named("xl") || file.find("conditioner.embedders.0.model.ln_final.weight") || file.find("conditioner.embedders.1.model.ln_final.weight") ||
                    file.find("model.diffusion_model.label_emb.0.0.weight");
    return latent_format(xl ? "sdxl" : "sd1", channels);
}

Vae load_vae(const std::string& path, const std::string& family) {
    const gpu::Checkpoint file = gpu::open_checkpoint(path);
    const std::optional<VaePlace> place = find_vae(file);
    if (!place) {
        if (!is_tiny(file)) {
            expect_kind(file, {FileKind::Checkpoint}, expected, false);
            throw gpu::Error(gpu::ErrorCode::BadFile, "{}: expected {}, got a checkpoint without one", path, expected);
        }
        gpu::Weights weights;
        add_taesd_weights(weights, file);
        const bool encodes = std::any_of(weights.begin(), weights.end(), [](const auto& row) { return row.first.starts_with("encoder."); });
        return encodes ? load_taesd(path, "", family) : load_taesd("", path, family);
    }
    const VaeHints hints = hints_of(config_beside(path));
    gpu::Weights weights;
    if (place->kind == VaeKind::Vq) {
        add_vae_weights(weights, file);
        LatentFormat format{.family = family, .channels = 0};
        if (const QJsonValue scale = config_beside(path)["scaling_factor"]; scale.isDouble()) format.scale = scale.toDouble();
        return make_vq_autoencoder(std::move(weights), format, hints);
    }
    add_kl_weights(weights, file);
    return make_kl_autoencoder(weights, guess_latent_format(file, read_vae_config(weights, hints).channels, family), hints);
}

}  // namespace nodes
