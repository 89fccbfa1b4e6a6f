#include "app/cli/catalogue.h"

#include <QJsonArray>
#include <cmath>

#include "app/cli/command.h"

namespace app {
namespace {

using namespace nodes;

QString text(const std::string& text) { return QString::fromStdString(text); }

QJsonArray sockets_json(const std::vector<SocketInfo>& sockets, bool inputs) {
    QJsonArray list;
    for (const SocketInfo& socket : sockets) {
        QJsonObject fields{{"name", text(socket.name)},
                           {"label", text(socket.label)},
                           {"help", text(socket.help)},
                           {"type", text(socket.type->name)}};
        if (inputs) fields["required"] = !socket.optional && socket.initial.empty();
        list.append(fields);
    }
    return list;
}

std::string sockets_text(const char* title, const std::vector<SocketInfo>& sockets) {
    if (sockets.empty()) return {};
    std::vector<std::vector<std::string>> rows;
    for (const SocketInfo& socket : sockets)
        rows.push_back({"  " + socket.name, socket.type->name + (socket.optional ? ", optional" : ""), socket.help});
    return std::string("\n") + title + "\n" + table_text(rows);
}

}  // namespace

QJsonObject param_json(const ParamInfo& info) {
    QJsonObject fields{{"name", text(info.name)},
                       {"label", text(info.label)},
                       {"help", text(info.help)},
                       {"type", to_string(info.kind)},
                       {"initial", info.initial}};
    if (std::isfinite(info.min)) fields["min"] = info.min;
    if (std::isfinite(info.max)) fields["max"] = info.max;
    if (!info.unit.empty()) fields["unit"] = text(info.unit);
    if (!info.filter.empty()) fields["filter"] = text(info.filter);
    QJsonArray choices;
    for (const std::string& choice : info.choices) choices.append(text(choice));
    if (!choices.isEmpty()) fields["choices"] = choices;
    return fields;
}

QJsonObject node_json(const Node& node) {
    const NodeInfo& info = node.info();
    QJsonArray params;
    for (const ParamInfo& param : node.params()) params.append(param_json(param));
    return {{"id", text(info.id)},
            {"version", info.version},
            {"title", text(info.title)},
            {"category", text(info.category)},
            {"help", text(info.help)},
            {"side_effect", info.side_effect},
            {"inputs", sockets_json(node.inputs(), true)},
            {"outputs", sockets_json(node.outputs(), false)},
            {"params", params}};
}

std::string node_text(const Node& node) {
    const NodeInfo& info = node.info();
    std::string page = info.id + ": " + info.title + " (" + info.category + ", version " +
                       std::to_string(info.version) + ")\n" + info.help + "\n" + sockets_text("Inputs", node.inputs());
    if (!node.params().empty()) {
        std::vector<std::vector<std::string>> rows;
        for (const ParamInfo& param : node.params())
            rows.push_back(
                {"  " + param.name, to_string(param.kind), param.range(),
                 param.initial.toString() == "" && param.initial.isString() ? "-" : param.text(param.initial),
                 param.help});
        page += "\nParameters (type, range, initial value)\n" + table_text(rows);
    }
    return page + sockets_text("Outputs", node.outputs());
}

}  // namespace app
