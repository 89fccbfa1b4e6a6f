#include "nodes/interchange/loader.h"

#include <QFileInfo>
#include <QString>
#include <exception>
#include <filesystem>

#include "gpu/io/checkpoint.h"
#include "nodes/core/registry.h"
#include "nodes/models/detect/detect.h"
#include "nodes/models/detect/folder.h"

namespace nodes {
namespace {

std::string node_for(FileKind kind) {
    switch (kind) {
        case FileKind::Checkpoint: return "model.load";
        case FileKind::Unet: return "model.load_unet";
        case FileKind::Vae:
        case FileKind::Vq: return "vae.load";
        case FileKind::TextEncoder: return "text.encoder_load";
        case FileKind::VisionEncoder: return "vision.load";
        case FileKind::ControlNet:
        case FileKind::T2iAdapter: return "control.load";
        case FileKind::Lora: return "adapt.lora";
        case FileKind::Embedding: return "text.embedding_load";
        case FileKind::TinyVae: return "vae.load_tiny";
        case FileKind::Upscaler: return "upscale.load";
        case FileKind::IpAdapter:
        case FileKind::MotionModule:
        case FileKind::VideoModel:
        case FileKind::Unknown: break;
    }
    return {};
}

Loader model_loader(const std::string& path) {
    const ModelFacts facts = recognise(gpu::open_checkpoint(path));
    const bool tiny = facts.kind == FileKind::TinyVae;      // encoder and decoder have files of their own
    return {node_for(facts.kind), !tiny ? "file" : facts.variant == "decoder" ? "decoder" : "encoder", title_of(facts)};
}

}  // namespace

Loader loader_for(const std::string& path) {
    try {
        if (std::filesystem::is_directory(path)) return is_model_folder(path) ? Loader{"model.load", "file", "a model folder"} : Loader{"dataset.folder", "folder", "a folder"};
        const QString ending = QFileInfo(QString::fromStdString(path)).suffix().toLower();
        if (QStringList{"safetensors", "ckpt", "pt", "pth", "bin", "gguf"}.contains(ending)) return model_loader(path);
        if (QStringList{"png", "jpg", "jpeg", "webp", "exr", "tif", "tiff", "bmp", "gif"}.contains(ending)) return {"image.load", "file", "a picture"};
        if (QStringList{"mp4", "webm", "mkv", "mov", "avi"}.contains(ending) && find_node_type("video.load")) return {"video.load", "file", "a video"};
        if (ending == "json") return {"pose.load", "file", "JSON"};
    } catch (const std::exception& error) {
        return {"", "", error.what()};
    }
    return {};
}

}  // namespace nodes
