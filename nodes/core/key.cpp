#include "nodes/core/key.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace nodes {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t content_limit = std::uintmax_t{1} << 20;
constexpr int most_depth = 2;
constexpr std::size_t most_files = 4096;

// A folder is what lies in it: names, sizes and times of its files, model folders being what nodes read.
gpu::Hash folder_key(const fs::path& folder) {
    std::map<std::string, std::pair<std::uintmax_t, std::int64_t>> files;
    std::error_code error;
    for (fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, error), end; !error && at != end; at.increment(error)) {
        if (at.depth() >= most_depth) at.disable_recursion_pending();
        if (!at->is_regular_file(error)) continue;
        files[at->path().string()] = {at->file_size(error), at->last_write_time(error).time_since_epoch().count()};
        if (files.size() >= most_files) break;
    }
    gpu::Hasher hasher;
    hasher.add("folder");
    for (const auto& [name, facts] : files) hasher.add(name).add(static_cast<std::uint64_t>(facts.first)).add(facts.second);
    return hasher.finish();
}

// A file that stands for others beside it.
bool is_index(const std::string& path) { return path.ends_with("model_index.json") || path.ends_with(".index.json"); }

}  // namespace

gpu::Hash file_key(const std::string& path) {
    std::error_code error;
    if (fs::is_directory(path, error)) return folder_key(path);
    if (is_index(path) && fs::exists(path, error)) return folder_key(fs::path(path).parent_path());
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
