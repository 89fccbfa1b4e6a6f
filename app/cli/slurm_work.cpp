#include "app/cli/slurm_work.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <algorithm>
#include <filesystem>
#include <unordered_map>

#include "app/build_stamp.h"
#include "app/cli/run_result_json.h"
#include "app/cli/slurm_text.h"
#include "gpu/base/error.h"
#include "gpu/base/hash.h"
#include "gpu/io/atomic_file.h"
#include "nodes/core/key.h"
#include "nodes/core/lowering.h"
#include "nodes/core/node.h"
#include "nodes/core/paths.h"

namespace app {
namespace {

namespace fs = std::filesystem;
using gpu::ErrorCode;

QString text(const std::string& text) { return QString::fromStdString(text); }
std::string text(const QJsonValue& value) { return value.toString().toStdString(); }

QJsonArray list(const std::vector<std::string>& items) {
    QJsonArray array;
    for (const std::string& item : items) array.append(text(item));
    return array;
}

std::vector<std::string> list(const QJsonValue& value) {
    std::vector<std::string> items;
    for (const QJsonValue item : value.toArray()) items.push_back(text(item));
    return items;
}

QJsonObject json_of(const nodes::Document& document) { return QJsonDocument::fromJson(document.to_json()).object(); }

// Where documents with other values differ.
QJsonObject changes_from(const QJsonObject& base, const QJsonObject& made) {
    QJsonObject changes;
    for (const char* part : {"nodes", "subgraphs"}) {
        const QJsonObject before = base[QLatin1String(part)].toObject(), after = made[QLatin1String(part)].toObject();
        QJsonObject changed;
        for (auto at = after.begin(); at != after.end(); ++at)
            if (before[at.key()] != at.value()) changed[at.key()] = at.value();
        if (!changed.isEmpty()) changes[QLatin1String(part)] = changed;
    }
    return changes;
}

QJsonObject plan_json(const SlurmPlan& plan) {
    QJsonArray cells;
    for (const PlannedCell& c : plan.cells)
        cells.append(QJsonObject{{"changes", c.changes}, {"files", list(c.files)}, {"folders", list(c.folders)}, {"key", text(c.key)}});
    return {{"v", 1},
            {"graph", text(plan.document.path())},
            {"document", json_of(plan.document)},
            {"targets", list(plan.targets)},
            {"output_folder", text(plan.output_folder)},
            {"allowed", list(plan.allowed)},
            {"current_folder", text(plan.current_folder)},
            {"cache_folder", text(plan.cache_folder)},
            {"device", text(plan.device)},
            {"budget", text(plan.budget)},
            {"per_job", static_cast<qint64>(plan.per_job)},
            {"cells", cells}};
}

std::optional<QByteArray> content_of(const std::string& path) {
    QFile file(text(path));
    if (!file.open(QIODevice::ReadOnly)) return std::nullopt;
    return file.readAll();
}

// Sorted files of a document and of the subgraphs that it uses.
void add_input_files(const nodes::Document& document, const std::string& folder, std::vector<std::string>& files) {
    const nodes::Document open = nodes::expanded(document);
    for (const std::string& id : open.node_ids()) {
        const nodes::Node* type = open.type_of(id);
        if (!type) continue;
        for (const nodes::ParamInfo& info : type->params())
            if (const std::string name = text(open.param(id, info.name)); info.kind == nodes::ParamKind::InputFile && !name.empty())
                files.push_back(nodes::resolve_input({.document_folder = folder}, name));
    }
}

}  // namespace

std::string SlurmPlan::identity() const {
    const QByteArray json = QJsonDocument(plan_json(*this)).toJson(QJsonDocument::Compact);
    return gpu::hash_text(std::string_view(json.constData(), static_cast<std::size_t>(json.size()))).hex();
}

void SlurmPlan::add_cells(const std::vector<Cell>& made) {
    const QJsonObject base = json_of(document);
    gpu::Hasher common;
    common.add(document.to_json().toStdString()).add(heddle_build_stamp).add(output_folder).add(current_folder);
    for (const std::string& target : targets) common.add(target);
    const gpu::Hash shared = common.finish();
    std::unordered_map<std::string, gpu::Hash> hashes;  // cells name the same files again and again
    for (const Cell& cell : made) {
        const QJsonObject changes = changes_from(base, json_of(cell.document));
        gpu::Hasher hasher;
        hasher.add(shared).add(QJsonDocument(changes).toJson(QJsonDocument::Compact).toStdString());
        std::vector<std::string> inputs;
        add_input_files(cell.document, cell.document.folder(), inputs);
        for (const std::string& name : inputs) {
            const auto [at, fresh] = hashes.try_emplace(name);
            if (fresh) at->second = nodes::file_key(name);
            hasher.add(at->second);
        }
        cells.push_back({changes, cell.files, cell.folders, hasher.finish().hex()});
    }
}

Cell SlurmPlan::cell(std::size_t index) const {
    const PlannedCell& planned = cells.at(index);
    QJsonObject json = json_of(document);
    for (auto part = planned.changes.begin(); part != planned.changes.end(); ++part) {
        QJsonObject whole = json[part.key()].toObject();
        const QJsonObject changed = part.value().toObject();
        for (auto at = changed.begin(); at != changed.end(); ++at) whole[at.key()] = at.value();
        json[part.key()] = whole;
    }
    return {.document = nodes::Document::from_json(QJsonDocument(json).toJson(), document.path()), .files = planned.files, .folders = planned.folders};
}

bool files_are_there(const nodes::RunResult& result) {
    return std::ranges::all_of(result.outputs, [](const nodes::event::Output& output) {
        const QFileInfo file(QString::fromStdString(output.path));
        return file.isFile() && static_cast<std::uint64_t>(file.size()) == output.bytes;
    });
}

SlurmWork::SlurmWork(std::string folder) : folder_(fs::absolute(folder).lexically_normal().string()) {
    while (folder_.size() > 1 && folder_.ends_with('/')) folder_.pop_back();
}

std::string SlurmWork::path(const std::string& name) const { return (fs::path(folder_) / name).string(); }

std::string SlurmWork::events_path(std::size_t chunk, std::uint64_t submission) const {
    return path(gpu::format("events/{}.{}.jsonl", chunk + 1, submission));
}

void SlurmWork::create() const {
    for (const char* name : {"", "cells", "events", "log"}) {
        std::error_code error;
        fs::create_directories(path(name), error);
        gpu::check(!error, ErrorCode::Io, "--work: expected to make the folder {}, got: {}", path(name), error.message());
    }
}

void SlurmWork::save_plan(const SlurmPlan& plan) const {
    gpu::write_file(path("sweep.json"), QJsonDocument(plan_json(plan)).toJson(QJsonDocument::Compact).toStdString());
}

std::optional<SlurmPlan> SlurmWork::load_plan() const {
    const auto content = content_of(path("sweep.json"));
    if (!content) return std::nullopt;
    const QJsonObject json = QJsonDocument::fromJson(*content).object();
    gpu::check(json["v"].toInt() == 1, ErrorCode::BadFile, "expected a sweep that Heddle wrote, got another file: {}", path("sweep.json"));
    SlurmPlan plan;
    plan.document = nodes::Document::from_json(QJsonDocument(json["document"].toObject()).toJson(), text(json["graph"]));
    for (const QJsonValue c : json["cells"].toArray())
        plan.cells.push_back({c["changes"].toObject(), list(c["files"]), list(c["folders"]), text(c["key"])});
    plan.targets = list(json["targets"]);
    plan.output_folder = text(json["output_folder"]);
    plan.allowed = list(json["allowed"]);
    plan.current_folder = text(json["current_folder"]);
    plan.cache_folder = text(json["cache_folder"]);
    plan.device = text(json["device"]);
    plan.budget = text(json["budget"]);
    plan.per_job = static_cast<std::uint64_t>(std::max<qint64>(1, json["per_job"].toInteger(1)));
    return plan;
}

void SlurmWork::append_line(const QJsonObject& line) const {
    QFile file(text(path("submissions.jsonl")));
    const QByteArray bytes = QJsonDocument(line).toJson(QJsonDocument::Compact) + "\n";
    gpu::check(file.open(QIODevice::Append) && file.write(bytes) == bytes.size() && file.flush(), ErrorCode::Io,
               "expected to write {}, got: {}", path("submissions.jsonl"), file.errorString().toStdString());
}

void SlurmWork::add(const Submission& s) const {
    append_line({{"submission", static_cast<qint64>(s.number)}, {"job", text(s.job)}, {"cluster", text(s.cluster)},
                 {"offset", static_cast<qint64>(s.offset)}, {"tasks", text(array_spec(s.indices))}});
}

void SlurmWork::mark_cancelled(const std::vector<Submission>& submissions) const {
    for (const Submission& s : submissions) append_line({{"submission", static_cast<qint64>(s.number)}, {"cancelled", true}});
}

std::vector<Submission> SlurmWork::submissions() const {
    std::vector<Submission> submissions;
    for (const QByteArray& line : content_of(path("submissions.jsonl")).value_or(QByteArray()).split('\n')) {
        const QJsonObject json = QJsonDocument::fromJson(line).object();
        const auto number = static_cast<std::uint64_t>(std::max<qint64>(0, json["submission"].toInteger()));
        if (json["cancelled"].toBool()) {
            for (Submission& s : submissions) s.cancelled |= s.number == number;
        } else if (number > 0) {
            submissions.push_back({number, text(json["job"]), text(json["cluster"]),
                                   static_cast<std::uint64_t>(std::max<qint64>(0, json["offset"].toInteger())), parse_array_spec(text(json["tasks"]))});
        }
    }
    return submissions;
}

void SlurmWork::save(const CellResult& cell) const {
    QJsonObject json = result_json(cell.result);
    json["v"] = 1;
    json["key"] = text(cell.key);
    gpu::write_file(path(gpu::format("cells/{}.{}.json", cell.cell + 1, cell.submission)), QJsonDocument(json).toJson().toStdString());
}

std::optional<CellResult> SlurmWork::load(std::size_t cell, std::uint64_t submission) const {
    const auto content = content_of(path(gpu::format("cells/{}.{}.json", cell + 1, submission)));
    const QJsonObject json = QJsonDocument::fromJson(content.value_or(QByteArray())).object();
    if (json["v"].toInt() != 1) return std::nullopt;
    return CellResult{cell, submission, text(json["key"]), parse_result(json)};
}

std::vector<std::pair<std::size_t, std::uint64_t>> SlurmWork::results() const {
    std::vector<std::pair<std::size_t, std::uint64_t>> found;
    for (const QString& name : QDir(text(path("cells"))).entryList({"*.*.json"}, QDir::Files)) {
        const QStringList parts = name.split('.');
        const qulonglong cell = parts.value(0).toULongLong(), submission = parts.value(1).toULongLong();
        if (parts.size() == 3 && cell > 0 && submission > 0) found.emplace_back(cell - 1, submission);
    }
    return found;
}

}  // namespace app
