#include "app/cli/graph_options.h"

#include <QFile>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <span>

#include "gpu/base/error.h"
#include "nodes/codec/image_file.h"
#include "nodes/codec/video_file.h"
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

// The declaration of a parameter that the command line names.
const ParamInfo& find_param(const Document& document, const std::string& node, const std::string& name) {
    const nodes::NodeRecord* record = document.find(node);
    if (!record)
        throw Error(ErrorCode::Usage, "expected a node of the graph, got '{}'{}", node,
                    nodes::suggestion(node, document.node_ids()));
    const nodes::Node* type = nodes::find_node_type(record->type);
    gpu::check(type, ErrorCode::Usage, "expected a node of a known type, '{}' is of type '{}'", node, record->type);
    if (const ParamInfo* info = type->param(name)) return *info;
    std::vector<std::string> names;
    for (const ParamInfo& info : type->params()) names.push_back(info.name);
    throw Error(ErrorCode::Usage, "{} has no parameter '{}'{}", record->type, name, nodes::suggestion(name, names));
}

Document set_value(const Document& document, const std::string& node, const ParamInfo& info, std::string text,
                   std::vector<std::string>& files) {
    if ((info.kind == ParamKind::InputFile || info.kind == ParamKind::OutputFile) && !text.empty()) {
        // Names on the command line start where the user stands; one that is only beside the document stays.
        const std::filesystem::path here = std::filesystem::absolute(text).lexically_normal();
        std::error_code error;
        if (info.kind == ParamKind::OutputFile || std::filesystem::exists(here, error)) text = here.string();
        files.push_back(text);
    }
    return document.set_param(node, info.name, info.parse(text));
}

// What a file is, by its first bytes: a document is text.
enum class Carrier { Text, Picture, Video };

Carrier carrier_of(const std::string& path) {
    QFile file(QString::fromStdString(path));
    if (!file.open(QIODevice::ReadOnly)) return Carrier::Text;
    const QByteArray start = file.read(8);
    if (nodes::is_video(std::as_bytes(std::span(start.constData(), static_cast<std::size_t>(start.size()))))) return Carrier::Video;
    const bool picture = start.startsWith("\x89PNG") || start.startsWith("\xff\xd8\xff") || start.startsWith("\x76\x2f\x31\x01") ||
                         start.startsWith(QByteArray("II*\0", 4)) || start.startsWith(QByteArray("MM\0*", 4));
    return picture ? Carrier::Picture : Carrier::Text;
}

}  // namespace

Document load_graph(const std::string& path) {
    if (path != "-") {
        const Carrier carrier = carrier_of(path);
        if (carrier == Carrier::Text) return Document::load(path);
        const bool video = carrier == Carrier::Video;
        const std::string text = video ? nodes::embedded_video_document(path) : nodes::embedded_document(path);
        gpu::check(!text.empty(), ErrorCode::BadFile, "read document {}: expected a {} that holds its graph, this one holds none",
                   path, video ? "video" : "picture");
        return Document::from_json(QByteArray::fromStdString(text), path);
    }
    QFile in;
    gpu::check(in.open(stdin, QIODevice::ReadOnly), ErrorCode::Io, "read the graph from stdin: {}",
               in.errorString().toStdString());
    return Document::from_json(in.readAll());
}

Document apply_set(const Document& document, const std::string& assignment, std::vector<std::string>& files) {
    try {
        const std::size_t equals = assignment.find('=');
        const std::string name = assignment.substr(0, equals);
        const std::size_t dot = name.find('.');
        gpu::check(equals != std::string::npos && dot != std::string::npos, ErrorCode::Usage,
                   "expected NODE.param=VALUE, got '{}'", assignment);
        const std::string node = name.substr(0, dot);
        const ParamInfo& info = find_param(document, node, name.substr(dot + 1));
        return set_value(document, node, info, assignment.substr(equals + 1), files);
    } catch (const Error& error) {
        throw Error(error.code(), "--set {}: {}", assignment.substr(0, assignment.find('=')), error.message());
    }
}

Document apply_output(const Document& document, const std::vector<std::string>& targets, const std::string& file,
                      std::vector<std::string>& files) {
    const std::vector<std::string> wanted = targets.empty() ? nodes::default_targets(document) : targets;
    std::vector<std::pair<std::string, const ParamInfo*>> found;
    for (const std::string& id : wanted) {
        const nodes::NodeRecord* record = document.find(id);
        const nodes::Node* type = record ? nodes::find_node_type(record->type) : nullptr;
        if (!type) continue;
        for (const ParamInfo& info : type->params())
            if (info.kind == ParamKind::OutputFile) found.emplace_back(id, &info);
    }
    if (found.size() == 1) return set_value(document, found[0].first, *found[0].second, file, files);
    std::string choices;
    for (const auto& [id, info] : found) choices += (choices.empty() ? "" : ", ") + id + "." + info->name;
    throw Error(ErrorCode::Usage, "-o {}: expected one node that writes a file, {}", file,
                found.empty() ? "there is none" : "there are " + choices + ": choose by --set or --target");
}

}  // namespace app
