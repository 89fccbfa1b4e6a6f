// Whole models from where people keep them: a checkpoint (one file with UNet, autoencoder and text encoders), a diffusers folder, a file
// or folder with a UNet alone. Files are mapped: what nobody uses is never read.
#pragma once

#include <QJsonObject>
#include <optional>
#include <string>
#include <vector>

#include "nodes/models/detect/detect.h"
#include "nodes/models/unet/config.h"
#include "nodes/types/model.h"
#include "nodes/types/vae.h"

namespace nodes {

struct ModelSource {
    std::string path;
    bool folder = false;
    std::vector<gpu::Checkpoint> unet, vae;                     // of a checkpoint: the same file
    std::vector<std::vector<gpu::Checkpoint>> text;             // one entry for each text encoder of a folder; one for a checkpoint
    QJsonObject unet_config, scheduler;                         // of a folder
    ModelFacts facts;                                           // of the UNet's files
};

// `variant`: see open_model_part(). Throws MissingFile; BadFile where `path` is something else, which it names.
ModelSource open_model_source(const std::string& path, const std::string& variant = {});
// A UNet alone, or that of a checkpoint or folder.
ModelSource open_unet_source(const std::string& path, const std::string& variant = {});

// The UNet. `prediction` empty: as the folder's scheduler says, else as the weights do.
Model load_model(const ModelSource& source, std::optional<PredictionType> prediction = {});
// Throws BadFile where there is none.
Vae load_model_vae(const ModelSource& source);

// What a scheduler_config.json says of how a model was trained. Unknown words are left alone.
void apply_scheduler(ModelInfo& info, const QJsonObject& scheduler);
// What a unet/config.json says that shapes do not.
UnetHints unet_hints(const QJsonObject& config);

}  // namespace nodes
