// Models to files: a checkpoint in ldm's layout (one file), a folder in diffusers', or one part alone. Patches of weights are baked in; tensors
// that nothing changes are copied as they are, bit by bit, one at a time, so that no model need be in memory as a whole.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nodes/models/unet/config.h"
#include "nodes/models/vae/config.h"
#include "nodes/types/model.h"

namespace nodes {

enum class ModelLayout { Ldm, Diffusers };
enum class SavedType { Keep, F32, F16, BF16 };      // keep: each tensor's own, F16 for quantised ones

struct SavedModel {
    struct Unet {
        gpu::Weights weights;         // ldm's names
        Patches patches;
        UnetConfig config;
        ModelInfo info;
    };
    struct Vae {
        gpu::Weights weights;         // names of vae/keys.h
        VaeConfig config;
        LatentFormat format;
    };
    struct Text {
        gpu::Weights weights;         // Hugging Face's names
        Patches patches;
        std::string merges{};         // the tokenizer's merges.txt; empty: unknown, and none is written into a folder
    };
    std::optional<Unet> unet;
    std::optional<Vae> vae;
    std::vector<Text> text;           // one each tower
    std::string family;               // decides the places of text encoders in ldm's files: "sd1", "sd2", "sdxl", "sdxl-refiner", "pico"

    int parts() const { return (unet ? 1 : 0) + (vae ? 1 : 0) + (text.empty() ? 0 : 1); }
};

// What is at `path`: a checkpoint, a diffusers folder, a UNet, a KL autoencoder or text encoders alone. Tensors stay in their files. Throws
// MissingFile, BadFile.
SavedModel read_saved_model(const std::string& path, const std::string& variant = {});

struct SaveOptions {
    ModelLayout layout = ModelLayout::Ldm;
    SavedType type = SavedType::Keep;
    std::map<std::string, std::string> metadata{};
};

// Writes `path`, which ends in .safetensors: a checkpoint, or one part with bare names; or, for several parts in diffusers' layout, the folder
// `path`. Returns the files that were written. Throws Io, InvalidGraph.
std::vector<std::string> save_model(const SavedModel& model, const std::string& path, const SaveOptions& options = {});

}  // namespace nodes
