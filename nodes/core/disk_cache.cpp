#include "nodes/core/disk_cache.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>

#include "gpu/base/error.h"
#include "gpu/base/log.h"
#include "gpu/base/switches.h"
#include "gpu/io/checkpoint.h"
#include "gpu/run/evaluate.h"
#include "nodes/core/find_socket_type.h"

namespace nodes {
namespace {

namespace fs = std::filesystem;

constexpr const char* fields_key = "heddle.result";
constexpr const char* suffix = ".safetensors";
// What a result costs to read back: opening a file, and the rate of a slow disk.
constexpr double open_ms = 1, bytes_per_ms = 400e3;

struct File {
    fs::path path;
    fs::file_time_type used;
    std::uint64_t bytes = 0;
};

std::vector<File> files_in(const std::string& folder) {
    std::vector<File> files;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        std::error_code gone;      // removed by another process meanwhile
        File file{at->path(), at->last_write_time(gone), 0};
        if (!gone) file.bytes = at->file_size(gone);
        if (!gone && file.path.extension() == suffix) files.push_back(std::move(file));
    }
    return files;
}

// The file's tensors are named "<output>.<name>".
std::string tensor_name(std::size_t output, const std::string& name) { return std::to_string(output) + "." + name; }

NodeResult read_result(const std::string& path) {
    const gpu::Checkpoint file = gpu::open_checkpoint(path);
    const auto text = file.metadata().find(fields_key);
    gpu::check(text != file.metadata().end(), gpu::ErrorCode::BadFile, "expected a stored result, got a file of other tensors");
    const QJsonObject root = QJsonDocument::fromJson(QByteArray::fromStdString(text->second)).object();
    NodeResult result;
    const QJsonArray outputs = root["outputs"].toArray();
    for (qsizetype i = 0; i < outputs.size(); ++i) {
        const QJsonObject output = outputs[i].toObject();
        if (output.isEmpty()) {      // nothing was set
            result.outputs.emplace_back();
            continue;
        }
        const SocketType* type = find_socket_type(output["type"].toString().toStdString());
        gpu::check(type && type->restore, gpu::ErrorCode::BadFile, "expected a type that can be stored, got {}", output["type"].toString().toStdString());
        StoredValue stored{.fields = output["fields"].toObject(), .tensors = {}};
        const std::string prefix = tensor_name(static_cast<std::size_t>(i), "");
        for (const gpu::TensorEntry& entry : file.entries())
            if (entry.name.starts_with(prefix))
                stored.tensors[entry.name.substr(prefix.size())] = gpu::leaf({entry.shape, entry.dtype}, gpu::used_bytes(entry), file.owner());
        result.outputs.push_back(type->restore(stored));
    }
    for (const QJsonValue value : root["metrics"].toArray())
        result.metrics.push_back({value["name"].toString().toStdString(), value["value"].toDouble(), value["unit"].toString().toStdString()});
    for (const QJsonValue value : root["warnings"].toArray()) result.warnings.push_back(value.toString().toStdString());
    return result;
}

// What a stored result holds, by its header alone.
std::string types_in(const std::string& path) {
    const gpu::Checkpoint file = gpu::open_checkpoint(path);
    const auto text = file.metadata().find(fields_key);
    if (text == file.metadata().end()) return {};
    std::string types;
    for (const QJsonValue output : QJsonDocument::fromJson(QByteArray::fromStdString(text->second)).object()["outputs"].toArray())
        if (const QString type = output["type"].toString(); !type.isEmpty()) types += (types.empty() ? "" : ", ") + type.toStdString();
    return types;
}

// False where some output can not be stored.
bool write_result(const std::string& path, const NodeResult& result) {
    QJsonArray outputs;
    std::vector<std::pair<std::string, gpu::Tensor>> tensors;
    for (std::size_t i = 0; i < result.outputs.size(); ++i) {
        const Value& value = result.outputs[i];
        if (value.empty()) {
            outputs.append(QJsonObject());
            continue;
        }
        auto stored = value.stored();
        if (!stored) return false;
        outputs.append(QJsonObject{{"type", QString::fromStdString(value.type()->name)}, {"fields", stored->fields}});
        for (auto& [name, tensor] : stored->tensors) tensors.emplace_back(tensor_name(i, name), std::move(tensor));
    }
    QJsonArray metrics, warnings;
    for (const Eval::Metric& metric : result.metrics)
        metrics.append(QJsonObject{{"name", QString::fromStdString(metric.name)}, {"value", metric.value}, {"unit", QString::fromStdString(metric.unit)}});
    for (const std::string& warning : result.warnings) warnings.append(QString::fromStdString(warning));
    const QJsonObject root{{"outputs", outputs}, {"metrics", metrics}, {"warnings", warnings}};

    std::vector<std::vector<std::byte>> bytes;
    std::vector<gpu::TensorEntry> entries;
    for (const auto& [name, tensor] : tensors) {
        auto& content = bytes.emplace_back(static_cast<std::size_t>(tensor.element_count()) * gpu::size_of(tensor.dtype()));
        gpu::read(tensor, content);
        entries.push_back({.name = name, .dtype = tensor.dtype(), .shape = tensor.shape(), .bytes = content});
    }
    gpu::save_safetensors(path, entries, {{fields_key, QJsonDocument(root).toJson(QJsonDocument::Compact).toStdString()}});
    return true;
}

}  // namespace

std::optional<DiskCache::Place> DiskCache::usual(const std::string& build) {
    const gpu::Switches& now = gpu::switches();
    if (now.cache_budget == 0 || !now.check.empty() || !now.trace.empty() || !now.dump.empty() || now.debug > 0 || !now.fault.empty()) return std::nullopt;
    const std::string folder = gpu::cache_directory();
    if (folder.empty()) return std::nullopt;
    return Place{.folder = (fs::path(folder) / "results").string(), .budget = now.cache_budget,
                 .stamp = gpu::format("{} {} {} {} {} {} {} {}", build, now.device, now.host, now.fuse, now.small_storage, now.discrete, now.variant, now.fast)};
}

std::string DiskCache::path_of(const gpu::Hash& key) const {
    return (fs::path(place_.folder) / (gpu::Hasher().add(place_.stamp).add(key).finish().hex() + suffix)).string();
}

std::optional<NodeResult> DiskCache::find(const gpu::Hash& key) {
    const std::string path = path_of(key);
    std::error_code error;
    if (!fs::exists(path, error) || error) return std::nullopt;
    try {
        NodeResult result = read_result(path);
        fs::last_write_time(path, fs::file_time_type::clock::now(), error);      // a use, for trim()
        return result;
    } catch (const std::exception& damaged) {
        gpu::log("cache", gpu::LogLevel::Info, "dropped {}: {}", path, damaged.what());
        fs::remove(path, error);
        return std::nullopt;
    }
}

void DiskCache::store(const gpu::Hash& key, const NodeResult& result, double compute_ms) {
    const std::uint64_t bytes = result.bytes();
    if (bytes > place_.budget || compute_ms < open_ms + static_cast<double>(bytes) / bytes_per_ms) return;
    try {
        fs::create_directories(place_.folder);
        const std::string path = path_of(key);
        if (!write_result(path, result)) return;
        const std::lock_guard lock(mutex_);
        bytes_ = bytes_ ? *bytes_ + fs::file_size(path) : stats().bytes;
        if (*bytes_ <= place_.budget) return;
    } catch (const std::exception& error) {      // a full or read-only disk is no reason to fail a run
        gpu::log("cache", gpu::LogLevel::Info, "could not keep a result: {}", error.what());
        return;
    }
    trim(place_.budget - place_.budget / 10);      // some room, so that not every store trims
    const std::lock_guard lock(mutex_);
    bytes_.reset();
}

DiskCache::Stats DiskCache::stats() const {
    Stats stats;
    for (const File& file : files_in(place_.folder)) ++stats.files, stats.bytes += file.bytes;
    return stats;
}

std::vector<DiskCache::Entry> DiskCache::list() const {
    std::vector<File> files = files_in(place_.folder);
    std::ranges::sort(files, std::greater(), &File::used);
    const auto now = fs::file_time_type::clock::now();
    std::vector<Entry> entries;
    for (const File& file : files) {
        Entry entry{.file = file.path.filename().string(), .holds = {}, .bytes = file.bytes,
                    .used_ago = std::chrono::duration_cast<std::chrono::seconds>(now - file.used).count()};
        try {
            entry.holds = types_in(file.path.string());
        } catch (const std::exception&) {      // damaged, or removed meanwhile
        }
        entries.push_back(std::move(entry));
    }
    return entries;
}

DiskCache::Stats DiskCache::trim(std::uint64_t budget) {
    std::vector<File> files = files_in(place_.folder);
    std::ranges::sort(files, {}, &File::used);
    std::uint64_t left = 0;
    for (const File& file : files) left += file.bytes;
    Stats removed;
    for (const File& file : files) {
        if (left <= budget) break;
        std::error_code error;
        fs::remove(file.path, error);
        left -= file.bytes;
        ++removed.files, removed.bytes += file.bytes;
    }
    return removed;
}

}  // namespace nodes
