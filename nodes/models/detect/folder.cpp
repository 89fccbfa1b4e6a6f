#include "nodes/models/detect/folder.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <set>

#include "gpu/base/error.h"

namespace nodes {
namespace {

using gpu::check;
using gpu::ErrorCode;

QString text(const std::string& s) { return QString::fromStdString(s); }

std::vector<gpu::Checkpoint> open_index(const std::string& path) {
    const QJsonObject map = read_json_object(path)["weight_map"].toObject();
    check(!map.isEmpty(), ErrorCode::BadFile, "{}: expected an index of weights with a weight_map, got none", path);
    std::set<QString> names;
    for (const QJsonValue& value : map) names.insert(value.toString());
    std::vector<gpu::Checkpoint> files;
    const QDir folder = QFileInfo(text(path)).dir();
    for (const QString& name : names) {
        check(!name.isEmpty() && !name.contains('/') && !name.contains('\\') && name != "..", ErrorCode::BadFile, "{}: expected names of files beside it, got \"{}\"", path,
              name.toStdString());
        files.push_back(gpu::open_checkpoint(folder.filePath(name).toStdString()));
    }
    return files;
}

}  // namespace

QJsonObject read_json_object(const std::string& path) {
    QFile file(text(path));
    check(file.exists(), ErrorCode::MissingFile, "{}: expected a file, there is none", path);
    check(file.open(QIODevice::ReadOnly), ErrorCode::Io, "{}: can not be read", path);
    QJsonParseError error;
    const QJsonDocument document = QJsonDocument::fromJson(file.readAll(), &error);
    check(document.isObject(), ErrorCode::BadFile, "{}: expected a JSON object, got {}", path,
          error.error == QJsonParseError::NoError ? "another value" : error.errorString().toStdString());
    return document.object();
}

std::vector<gpu::Checkpoint> open_model_part(const std::string& path, const std::string& variant) {
    const QFileInfo info(text(path));
    check(info.exists(), ErrorCode::MissingFile, "{}: expected a file or a folder, there is none", path);
    if (!info.isDir()) {
        if (path.ends_with(".json")) return open_index(path);
        return {gpu::open_checkpoint(path)};
    }
    const QDir folder(text(path));
    const auto found = [&](const QString& name) { return folder.exists(name) ? folder.filePath(name).toStdString() : std::string(); };
    std::vector<std::string> variants{variant.empty() ? "" : variant};
    for (const char* other : {"", "fp16", "bf16"})
        if (other != variants[0]) variants.push_back(other);
    for (const std::string& one : variants)
        for (const char* stem : {"diffusion_pytorch_model", "model", "pytorch_model", "open_clip_model", "open_clip_pytorch_model"})
            for (const char* ending : {"safetensors", "bin"}) {
                const QString dotted = one.empty() ? QString() : "." + text(one), name = stem;
                if (const auto file = found(name + dotted + "." + ending); !file.empty()) return {gpu::open_checkpoint(file)};
                for (const QString& index : {name + "." + ending + ".index" + dotted + ".json", name + dotted + "." + ending + ".index.json"})
                    if (const auto file = found(index); !file.empty()) return open_index(file);
            }
    const QStringList single = folder.entryList({"*.safetensors", "*.gguf"}, QDir::Files, QDir::Name);
    if (single.size() == 1) return {gpu::open_checkpoint(folder.filePath(single[0]).toStdString())};
    throw gpu::Error(ErrorCode::MissingFile, "{}: expected weights such as diffusion_pytorch_model.safetensors or model.safetensors in the folder, got {}", path,
                     single.isEmpty() ? "none" : "several others");
}

bool is_model_folder(const std::string& path) {
    const QFileInfo info(text(path));
    return info.isDir() ? QFileInfo::exists(info.filePath() + "/model_index.json") : info.isFile() && info.fileName() == "model_index.json";
}

ModelFolder open_model_folder(const std::string& path, const std::string& variant) {
    const QFileInfo info(text(path));
    const QString at = info.isDir() ? info.filePath() : info.path();
    ModelFolder folder{.path = at.toStdString(), .index = read_json_object((at + "/model_index.json").toStdString())};
    for (const char* part : {"unet", "vae", "text_encoder", "text_encoder_2"}) {
        const QString own = at + "/" + part;
        if (!QFileInfo(own).isDir()) continue;
        folder.parts[part] = open_model_part(own.toStdString(), variant);
        if (QFileInfo::exists(own + "/config.json")) folder.configs[part] = read_json_object((own + "/config.json").toStdString());
    }
    if (const QString scheduler = at + "/scheduler/scheduler_config.json"; QFileInfo::exists(scheduler)) folder.scheduler = read_json_object(scheduler.toStdString());
    check(!folder.parts.empty(), ErrorCode::BadFile, "{}: expected folders unet, vae and text_encoder beside model_index.json, got none of them", folder.path);
    return folder;
}

}  // namespace nodes
