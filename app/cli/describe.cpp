// heddle describe: what a graph lets you set, or what a node type is.
#include <QFileInfo>
#include <QJsonArray>

#include "app/cli/catalogue.h"
#include "app/cli/command.h"
#include "app/cli/graph_options.h"
#include "gpu/base/error.h"
#include "nodes/core/frames.h"
#include "nodes/core/nearest.h"

namespace app {
namespace {

using namespace nodes;

QJsonObject graph_json(const Document& document) {
    QJsonArray list;
    for (const std::string& id : document.node_ids()) {
        const NodeRecord& record = document.node(id);
        const Node* type = document.type_of(record);
        QJsonArray params;
        if (type)
            for (const ParamInfo& info : type->params()) {
                QJsonObject fields = param_json(info);
                fields["value"] = document.param(id, info.name);
                fields["set"] = QString::fromStdString(id + "." + info.name);
                params.append(fields);
            }
        list.append(QJsonObject{{"id", QString::fromStdString(id)},
                                {"type", QString::fromStdString(record.type)},
                                {"known", type != nullptr},
                                {"params", params}});
    }
    QJsonArray frames;
    for (const auto& [id, frame] : frames_of(document)) {
        QJsonArray members;
        for (const std::string& node : frame.nodes) members.append(QString::fromStdString(node));
        frames.append(QJsonObject{{"id", QString::fromStdString(id)}, {"title", QString::fromStdString(frame.title)}, {"nodes", members}});
    }
    return {{"nodes", list}, {"frames", frames}};
}

void print_graph(const Document& document) {
    std::vector<std::vector<std::string>> rows;
    for (const std::string& id : document.node_ids()) {
        const NodeRecord& record = document.node(id);
        const Node* type = document.type_of(record);
        rows.push_back({id, type ? record.type : record.type + " (unknown)", "", "", type ? type->info().title : ""});
        if (!type) continue;
        for (const ParamInfo& info : type->params()) {
            const std::string value = info.text(document.param(id, info.name));
            rows.push_back({"  " + id + "." + info.name, to_string(info.kind), info.range(),
                            value.empty() ? "-" : value, info.help});
        }
    }
    for (const auto& [id, frame] : frames_of(document)) {
        std::string members;
        for (const std::string& node : frame.nodes) members += (members.empty() ? "" : ", ") + node;
        rows.push_back({"frame: " + frame.title, "", "", "", members});
    }
    std::string text = table_text(rows);
    if (!text.empty()) text.pop_back();
    print_line(text);
}

int describe(const Arguments& arguments) {
    const std::string& name = arguments.only("GRAPH or a node type");
    const bool json = arguments.has("--json");
    if (const Node* node = find_node_type(name)) {
        if (json)
            print_json(node_json(*node));
        else
            print_line(node_text(*node).substr(0, node_text(*node).size() - 1));
        return 0;
    }
    if (name != "-" && !QFileInfo::exists(QString::fromStdString(name))) {
        std::vector<std::string> ids;
        for (const Node* node : node_types()) ids.push_back(node->info().id);
        throw gpu::Error(gpu::ErrorCode::MissingFile, "describe: expected a graph file or a node type, got '{}'{}",
                         name, suggestion(name, ids));
    }
    const Document document = load_graph(name);
    if (json)
        print_json(graph_json(document));
    else
        print_graph(document);
    return 0;
}

}  // namespace

REGISTER_COMMAND(describe, {.name = "describe",
                            .arguments = "GRAPH|TYPE",
                            .summary = "Shows what a graph lets you set, or what a node type is",
                            .help = "For a graph: its nodes and their parameters as --set takes them, with type,\n"
                                    "range, current value and meaning. For a node type such as image.load: its\n"
                                    "inputs, parameters and outputs.",
                            .options = {json_option},
                            .run = describe})

}  // namespace app
