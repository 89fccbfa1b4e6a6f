// Models in folders, as diffusers and transformers keep them: a model_index.json with one folder for each part; in each a config.json and
// weights, in one file or in several with an index, for one or several precisions ("variants").
#pragma once

#include <QJsonObject>
#include <map>
#include <string>
#include <vector>

#include "gpu/io/checkpoint.h"

namespace nodes {

// The files of one part's weights. `path`: a weights file, an index of several (*.index.json), or a folder that holds either.
// `variant`: "fp16": taken where the folder has it; else the plain one is taken first. safetensors come before pickles. Throws
// MissingFile, BadFile.
std::vector<gpu::Checkpoint> open_model_part(const std::string& path, const std::string& variant = {});

// Whether this is a folder with a model_index.json, or that file itself.
bool is_model_folder(const std::string& path);

struct ModelFolder {
    std::string path;
    QJsonObject index;                                          // model_index.json
    QJsonObject scheduler;                                      // scheduler_config.json, empty where there is none
    std::map<std::string, std::vector<gpu::Checkpoint>> parts;  // "unet", "vae", "text_encoder", "text_encoder_2", ...
    std::map<std::string, QJsonObject> configs;                 // config.json of each
};
// Opens what a picture model needs; other parts (safety checkers) are left alone. Throws MissingFile, BadFile.
ModelFolder open_model_folder(const std::string& path, const std::string& variant = {});

// A JSON file's object. Throws MissingFile, BadFile.
QJsonObject read_json_object(const std::string& path);

}  // namespace nodes
