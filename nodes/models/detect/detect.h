// What a model file is, by the names and shapes of its tensors: no weight is read but a bias of SD 2, which tells its prediction
// type. Each kind of file is one small rule in signatures_*.cpp.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "gpu/io/checkpoint.h"

namespace nodes {

// What loaders can ask for, and what else is recognised.
enum class FileKind {
    Unknown,
    Checkpoint,          // UNet, autoencoder and text encoders
    Unet,
    Vae,                 // KL autoencoder, temporal ones included
    Vq,                  // VQ autoencoder
    TinyVae,
    TextEncoder,
    VisionEncoder,
    ControlNet,
    T2iAdapter,
    Lora,
    Embedding,           // textual inversion
    IpAdapter,
    MotionModule,
    VideoModel,          // SVD: spatial and temporal layers
    Upscaler,            // enlarges pictures
};

struct ModelFacts {
    FileKind kind = FileKind::Unknown;
    std::string family;                      // "sd1", "sd2", "sdxl", "sdxl-refiner", "svd", "flux", ...; "pico": other sizes; "": unknown
    std::string variant;                     // "inpainting", "depth", "upscaler", "LCM", "turbo", "plus", "LoHa", ...; "" for the plain one
    std::string prediction;                  // "epsilon", "v", "edm"; "" where nothing is predicted or nothing tells
    bool zero_terminal_snr = false;
    std::string layout;                      // "ldm", "diffusers", "transformers", "OpenCLIP", "kohya", ...
    std::string precision;                   // "F16", "F16 with some F32"
    std::vector<std::string> parts;          // of a checkpoint: "UNet", "autoencoder", "text encoder"
    std::vector<std::string> notes;          // whole sentences
    std::vector<std::string> missing, unexpected;      // keys, where the kind's full list is known
};

// Of one file or of the parts of one.
ModelFacts recognise(std::span<const gpu::Checkpoint> files);
ModelFacts recognise(const gpu::Checkpoint& file);

// "a checkpoint of SDXL (inpainting)", "an autoencoder", "a LoRA for SD 1".
std::string title_of(const ModelFacts& facts);
const char* kind_name(FileKind kind);        // "checkpoint", "unet", "vae", ... for machines

// What every loader says of a file of the wrong kind: throws BadFile "FILE: expected a checkpoint, got an autoencoder". Does nothing where
// the kind is among `wanted`, or unknown and `let_unknown`: the loader's own message knows more then.
void expect_kind(std::span<const gpu::Checkpoint> files, std::span<const FileKind> wanted, const std::string& expected, bool let_unknown = true);
void expect_kind(const gpu::Checkpoint& file, std::initializer_list<FileKind> wanted, const std::string& expected, bool let_unknown = true);

}  // namespace nodes
