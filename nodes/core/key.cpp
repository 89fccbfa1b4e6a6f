#include "nodes/core/key.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace nodes {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t content_limit = std::uintmax_t{1} << 20;

}  // namespace

gpu::Hash file_key(const std::string& path) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(path, error);
    if (error) return gpu::Hasher().add("missing").add(path).finish();
    if (size < content_limit) {
        std::ifstream file(path, std::ios::binary);
        std::ostringstream content;
        content << file.rdbuf();
        if (file) return gpu::Hasher().add("content").add(content.str()).finish();
    }
    const auto changed = fs::last_write_time(path, error).time_since_epoch().count();
    return gpu::Hasher().add("file").add(path).add(static_cast<std::uint64_t>(size)).add(changed).finish();
}

gpu::Hash node_key(const Node& node, const std::vector<QJsonValue>& params, const std::vector<gpu::Hash>& inputs) {
    gpu::Hasher hasher;
    hasher.add(node.info().id).add(node.info().version);
    for (std::size_t i = 0; i < params.size(); ++i) {
        const ParamInfo& info = node.params()[i];
        if (info.kind == ParamKind::OutputFile) continue;
        hasher.add(info.name);
        if (info.kind == ParamKind::InputFile) {
            const std::string path = params[i].toString().toStdString();
            // The name counts beside the content: a reader may choose its format by the ending.
            hasher.add(fs::path(path).extension().string()).add(path.empty() ? gpu::Hash{} : file_key(path));
        } else {
            hasher.add(QJsonDocument(QJsonArray{params[i]}).toJson(QJsonDocument::Compact).toStdString());
        }
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) hasher.add(node.inputs()[i].name).add(inputs[i]);
    return hasher.finish();
}

gpu::Hash output_key(const gpu::Hash& node, const std::string& socket) {
    return gpu::Hasher().add(node).add(socket).finish();
}

}  // namespace nodes
