#include "app/cli/graph_options.h"

#include <QFile>
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "gpu/base/error.h"
#include "nodes/core/expression.h"
#include "nodes/core/lowering.h"
#include "nodes/core/nearest.h"
#include "nodes/core/node.h"
#include "nodes/core/validate.h"

namespace app {
namespace {

using gpu::Error;
using gpu::ErrorCode;
using nodes::Document;
using nodes::ParamInfo;
using nodes::ParamKind;

Document set_value(const Document& document, const std::string& node, const ParamInfo& info, std::string text,
                   std::vector<std::string>& files, const std::string& folder) {
    const bool follows = nodes::expression_of(info.parse(text)).has_value();
    if ((info.kind == ParamKind::InputFile || info.kind == ParamKind::OutputFile) && !text.empty() && !follows) {
        // Names on the command line start where the user stands; one that is only beside the document stays.
        const std::filesystem::path here = std::filesystem::absolute(std::filesystem::path(folder) / text).lexically_normal();
        std::error_code error;
        if (info.kind == ParamKind::OutputFile || std::filesystem::exists(here, error)) text = here.string();
        files.push_back(text);
    }
    return document.set_param(node, info.name, info.parse(text));
}

}  // namespace

nodes::OpenedGraph open_graph(const std::string& path, const nodes::ComfyOptions& options) {
    if (path != "-") return nodes::open_graph(path, options);
    QFile in;
    gpu::check(in.open(stdin, QIODevice::ReadOnly), ErrorCode::Io, "read the graph from stdin: {}",
               in.errorString().toStdString());
    return nodes::open_graph_text(in.readAll(), options);
}

Document load_graph(const std::string& path) {
    nodes::OpenedGraph opened = open_graph(path);
    if (opened.report)
        for (const std::string& line : opened.report->lines()) std::fprintf(stderr, "%s\n", line.c_str());
    return std::move(opened.document);
}

const ParamInfo& find_param(const Document& document, const std::string& name) {
    const std::size_t dot = name.find('.');
    gpu::check(dot != std::string::npos, ErrorCode::Usage, "expected NODE.param, got '{}'", name);
    const std::string node = name.substr(0, dot), param = name.substr(dot + 1);
    const nodes::NodeRecord* record = document.find(node);
    if (!record)
        throw Error(ErrorCode::Usage, "expected a node of the graph, got '{}'{}", node,
                    nodes::suggestion(node, document.node_ids()));
    const nodes::Node* type = document.type_of(*record);
    gpu::check(type, ErrorCode::Usage, "expected a node of a known type, '{}' is of type '{}'", node, record->type);
    if (const ParamInfo* info = type->param(param)) return *info;
    std::vector<std::string> names;
    for (const ParamInfo& info : type->params()) names.push_back(info.name);
    throw Error(ErrorCode::Usage, "{} has no parameter '{}'{}", record->type, param, nodes::suggestion(param, names));
}

Document apply_param(const Document& document, const std::string& name, const std::string& text,
                     std::vector<std::string>& files, const std::string& folder) {
    const ParamInfo& info = find_param(document, name);
    return set_value(document, name.substr(0, name.find('.')), info, text, files, folder);
}

Document apply_set(const Document& document, const std::string& assignment, std::vector<std::string>& files,
                   const std::string& folder) {
    try {
        const std::size_t equals = assignment.find('=');
        gpu::check(equals != std::string::npos && assignment.find('.') < equals, ErrorCode::Usage,
                   "expected NODE.param=VALUE, got '{}'", assignment);
        return apply_param(document, assignment.substr(0, equals), assignment.substr(equals + 1), files, folder);
    } catch (const Error& error) {
        throw Error(error.code(), "--set {}: {}", assignment.substr(0, assignment.find('=')), error.message());
    }
}

std::vector<std::pair<std::string, const ParamInfo*>> output_params(const Document& document,
                                                                    const std::vector<std::string>& targets) {
    const std::vector<std::string> wanted = targets.empty() ? nodes::default_targets(nodes::settled(document)) : targets;
    std::vector<std::pair<std::string, const ParamInfo*>> found;
    for (const std::string& id : wanted) {
        const nodes::NodeRecord* record = document.find(id);
        const nodes::Node* type = record ? document.type_of(*record) : nullptr;
        if (!type) continue;
        for (const ParamInfo& info : type->params())
            if (info.kind == ParamKind::OutputFile) found.emplace_back(id, &info);
    }
    return found;
}

Document apply_output(const Document& document, const std::vector<std::string>& targets, const std::string& file,
                      std::vector<std::string>& files, const std::string& folder) {
    const auto found = output_params(document, targets);
    if (found.size() == 1) return set_value(document, found[0].first, *found[0].second, file, files, folder);
    std::string choices;
    for (const auto& [id, info] : found) choices += (choices.empty() ? "" : ", ") + id + "." + info->name;
    throw Error(ErrorCode::Usage, "-o {}: expected one node that writes a file, {}", file,
                found.empty() ? "there is none" : "there are " + choices + ": choose by --set or --target");
}

}  // namespace app
