#include "app/cli/cells.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <algorithm>
#include <filesystem>
#include <map>

#include "app/cli/csv.h"
#include "app/cli/graph_options.h"
#include "app/cli/output_template.h"
#include "gpu/base/error.h"
#include "gpu/io/atomic_file.h"
#include "nodes/core/node.h"

namespace app {
namespace {

using gpu::Error;
using gpu::ErrorCode;
using nodes::Document;
using nodes::ParamInfo;

QString text(const std::string& text) { return QString::fromStdString(text); }

// "out.png" -> "out-003.png", so that no cell writes over another's files.
std::string numbered(const std::string& path, std::size_t cell, std::size_t cells) {
    const std::filesystem::path file(path);
    const std::size_t digits = std::max<std::size_t>(3, std::to_string(cells).size());
    const std::string number = QString::number(cell).rightJustified(static_cast<int>(digits), '0').toStdString();
    return (file.parent_path() / (file.stem().string() + "-" + number + file.extension().string())).string();
}

Document with_numbered_files(Document document, std::size_t cell, std::size_t cells) {
    for (const std::string& id : document.node_ids()) {
        const nodes::Node* type = document.type_of(id);
        if (!type) continue;
        for (const ParamInfo& info : type->params()) {
            const std::string path = document.param(id, info.name).toString().toStdString();
            if (info.kind == nodes::ParamKind::OutputFile && !path.empty())
                document = document.set_param(id, info.name, text(numbered(path, cell, cells)));
        }
    }
    return document;
}

Document with_all_files_numbered(const Document& document, std::size_t cell, std::size_t cells) {
    Document made = with_numbered_files(document, cell, cells);
    for (const std::string& name : document.subgraph_names()) {
        const Document inside = document.inside(name), changed = with_numbered_files(inside, cell, cells);
        if (!(inside == changed)) made = made.set_subgraph(name, changed);
    }
    return made;
}

// The name of a graph's file without folder and suffix.
std::string graph_name(const std::string& path) { return path == "-" ? "graph" : std::filesystem::path(path).stem().string(); }

// Each name once, in the order in which they come up.
void add_name(std::vector<std::string>& names, const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

std::string table_csv(const std::vector<Cell>& cells) {
    std::vector<std::string> params, metrics;
    std::size_t files = 0;
    for (const Cell& cell : cells) {
        files = std::max(files, cell.result.outputs.size());
        for (const auto& [name, value] : cell.params) add_name(params, name);
        for (const auto& metric : cell.result.metrics) add_name(metrics, metric.node + "." + metric.name);
    }
    std::vector<std::string> head = params;
    head.insert(head.end(), metrics.begin(), metrics.end());
    for (std::size_t i = 0; i < files; ++i) head.push_back(files == 1 ? "file" : "file" + std::to_string(i + 1));
    head.push_back("exit_code");
    std::string table = csv_line(head);
    for (const Cell& cell : cells) {
        std::vector<std::string> fields;
        for (const std::string& name : params) {
            const auto at = std::ranges::find(cell.params, name, [](const auto& param) { return param.first; });
            fields.push_back(at == cell.params.end() ? std::string() : at->second);
        }
        for (const std::string& name : metrics) {
            const auto at = std::ranges::find_if(cell.result.metrics, [&](const auto& metric) { return metric.node + "." + metric.name == name; });
            fields.push_back(at == cell.result.metrics.end() ? std::string() : QString::number(at->value, 'g', 9).toStdString());
        }
        for (std::size_t i = 0; i < files; ++i) fields.push_back(i < cell.result.outputs.size() ? cell.result.outputs[i].path : "");
        fields.push_back(std::to_string(cell.result.exit_code()));
        table += csv_line(fields);
    }
    return table;
}

}  // namespace

std::vector<Option> output_options(bool numbered) {
    return {{"--output", "FILE", std::string("Where the only node that writes a file puts it") + (numbered ? ", with the run's number" : ""), "-o"},
            {"--out", "TEMPLATE", "Where every node that writes a file puts it: a path with {graph}, {node}, {row:03}, {param:NODE.param} ..."}};
}

void name_files(std::vector<Cell>& cells, bool several, const Arguments& arguments, const RunSetup& setup) {
    const auto output = arguments.value("--output"), out = arguments.value("--out");
    gpu::check(!output || !out, ErrorCode::Usage, "expected -o or --out, got both");
    if (out) return apply_template(cells, *out, {arguments.only("GRAPH"), setup.options.targets, arguments.value("--output-dir").value_or("")});
    for (std::size_t i = 0; i < cells.size(); ++i) {
        Cell& cell = cells[i];
        if (output) cell.document = apply_output(cell.document, setup.options.targets, *output, cell.files);
        if (!several) continue;
        cell.document = with_all_files_numbered(cell.document, i + 1, cells.size());
        std::vector<std::string> named = setup.files;      // files that were allowed by name have another one now
        named.insert(named.end(), cell.files.begin(), cell.files.end());
        for (const std::string& file : named) cell.files.push_back(numbered(file, i + 1, cells.size()));
    }
}

void apply_template(std::vector<Cell>& cells, const std::string& text, const TemplateScope& scope) {
    const OutputTemplate out(text);
    const QDateTime started = QDateTime::currentDateTime();
    std::map<std::string, std::string> taken;      // who writes a path
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const Document before = cells[i].document;
        bool any = false;
        for (const auto& [node, info] : output_params(before, scope.targets)) {
            if (!info->required && before.param(node, info->name).toString().isEmpty()) continue;      // not asked for
            const OutputPlace place{.graph = graph_name(scope.graph), .document = &before, .node = node,
                                    .param = info->name, .row = i + 1, .started = started};
            const std::string path = out.expand(place);
            const std::string name = node + "." + info->name;
            cells[i].document = apply_param(cells[i].document, name, path, cells[i].files, scope.folder);
            const std::string& whole = cells[i].files.back();
            const std::string who = cells.size() > 1 ? gpu::format("{} of run {}", name, i + 1) : name;
            const auto [other, first] = taken.emplace(whole, who);
            gpu::check(first, ErrorCode::Usage, "--out: expected a path of its own for each file, {} is both {} and {}; {node} and {row} tell them apart",
                       path, other->second, who);
            cells[i].folders.push_back(std::filesystem::path(whole).parent_path().string());
            any = true;
        }
        gpu::check(any, ErrorCode::Usage, "--out: expected a node that writes a file, there is none");
    }
}

void run_cell(Cell& cell, const nodes::RunOptions& options) {
    for (const std::string& folder : cell.folders) {
        std::error_code error;
        std::filesystem::create_directories(folder, error);
        gpu::check(!error, ErrorCode::Io, "make the folder {}: {}", folder, error.message());
    }
    nodes::RunOptions own = options;
    own.allowed.insert(own.allowed.end(), cell.files.begin(), cell.files.end());
    cell.result = nodes::run(cell.document, own);
}

int stopped_exit_code(const nodes::RunResult& result, int signal) {
    return result.resumable || signal == 0 ? result.exit_code() : 128 + signal;
}

int exit_code_of(const std::vector<Cell>& cells) {
    const auto failed = std::ranges::count_if(cells, [](const Cell& cell) { return cell.result.exit_code() != 0; });
    if (failed == 0) return 0;
    return failed < static_cast<std::ptrdiff_t>(cells.size()) ? 10 : cells.front().result.exit_code();
}

QJsonObject cell_json(const Cell& cell) {
    QJsonObject params, metrics;
    QJsonArray files, errors;
    for (const auto& [name, value] : cell.params) params[text(name)] = text(value);
    for (const auto& metric : cell.result.metrics) metrics[text(metric.node + "." + metric.name)] = metric.value;
    for (const auto& output : cell.result.outputs) files.append(text(output.path));
    for (const auto& failure : cell.result.failures) errors.append(text(failure.text()));
    return {{"params", params}, {"metrics", metrics}, {"files", files}, {"errors", errors}, {"ms", cell.result.ms}, {"exit_code", cell.result.exit_code()}};
}

void write_table(const std::string& path, const std::vector<Cell>& cells) {
    if (!path.ends_with(".json")) return gpu::write_file(path, table_csv(cells));
    QJsonArray rows;
    for (const Cell& cell : cells) rows.append(cell_json(cell));
    gpu::write_file(path, QJsonDocument(rows).toJson().toStdString());
}

std::string params_text(const Cell& cell) {
    std::string line;
    for (const auto& [name, value] : cell.params) line += (line.empty() ? "" : "  ") + name + "=" + value;
    return line;
}

}  // namespace app
