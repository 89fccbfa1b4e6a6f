// What a node looks like, and which sockets fit: the reading half of GraphModel that asks declarations.
#include <QFileInfo>
#include <algorithm>

#include "app/model/graph_model.h"
#include "nodes/core/expression.h"
#include "nodes/core/subgraph.h"

namespace app {
namespace {

constexpr int max_params_shown = 3;  // on the node; the panel shows all

SocketLook known_socket(const NodeId& node, const nodes::SocketInfo& info, bool output) {
    return {.id = {node, info.name, output},
            .label = qt(info.label),
            .help = qt(info.help),
            .type = qt(info.type->title),
            .colour = QColor(qt(info.type->colour)),
            .required = !output && !info.optional && info.initial.empty()};
}

// Marks linked sockets and adds those that only a link knows.
void add_links(NodeLook& look, const std::vector<LinkId>& links, const NodeId& id) {
    const auto mark = [](std::vector<SocketLook>& sockets, const SocketId& socket) {
        const auto at = std::ranges::find(sockets, socket, &SocketLook::id);
        if (at != sockets.end())
            at->linked = true;
        else
            sockets.push_back({.id = socket,
                               .label = qt(socket.name),
                               .help = GraphModel::tr("Not a socket of this node type"),
                               .colour = QColor(0x8a, 0x8a, 0x8a),
                               .known = false,
                               .linked = true});
    };
    for (const LinkId& link : links) {
        if (link.from.node == id) mark(look.outputs, link.source());
        if (link.to.node == id) mark(look.inputs, link.sink());
    }
}

QString short_value(const nodes::ParamInfo& info, const QJsonValue& value) {
    if (nodes::expression_of(value)) return qt(info.text(value));
    if (info.kind == nodes::ParamKind::Bool) return value.toBool() ? GraphModel::tr("on") : GraphModel::tr("off");
    const bool is_file = info.kind == nodes::ParamKind::InputFile || info.kind == nodes::ParamKind::OutputFile;
    QString text = is_file ? QFileInfo(value.toString()).fileName() : qt(info.text(value));
    if (!info.unit.empty()) text += QChar(0x202f) + qt(info.unit);  // narrow space
    return text.section('\n', 0, 0);
}

bool fits(const nodes::SocketType* output, const nodes::SocketType* input) { return input->accepts_from(*output); }

}  // namespace

NodeLook GraphModel::look(const NodeId& id) const {
    NodeLook look;
    const nodes::NodeRecord& record = document_.node(id);
    look.mode = record.mode;
    look.subgraph = !nodes::subgraph_of(record.type).empty();
    look.bend = record.type == "flow.reroute";
    look.colour = QColor::fromString(document_.layout_of(id)["colour"].toString());
    if (const nodes::Node* type = document_.type_of(record)) {
        look.title = qt(type->info().title);
        look.category = qt(type->info().category);
        look.help = qt(type->info().help);
        if (record.type == "flow.note") look.text = document_.param(id, "text").toString();
        for (const nodes::SocketInfo& info : type->inputs()) look.inputs.push_back(known_socket(id, info, false));
        for (const nodes::SocketInfo& info : type->outputs()) look.outputs.push_back(known_socket(id, info, true));
        for (const nodes::ParamInfo& info : type->params()) {
            const QJsonValue value = document_.param(id, info.name);
            const bool is_file = info.kind == nodes::ParamKind::InputFile || info.kind == nodes::ParamKind::OutputFile;
            const bool telling = value != info.initial || info.required || info.kind == nodes::ParamKind::Choice;
            if (!telling || info.kind == nodes::ParamKind::Text ||
                (is_file && value.toString().isEmpty() && !info.required))
                continue;
            if (look.params.size() < max_params_shown)
                look.params.push_back(
                    {qt(info.label), is_file && value.toString().isEmpty() ? tr("not set") : short_value(info, value)});
        }
    } else {
        look.title = qt(record.type);
        look.help = tr("This program does not know node type \"%1\". It is kept as it is.").arg(qt(record.type));
        look.known = false;
    }
    add_links(look, links_of(id), id);
    return look;
}

std::set<SocketId> GraphModel::partners(const SocketId& from) const {
    std::set<SocketId> found;
    const nodes::Node* type = declaration(from.node);
    const nodes::SocketInfo* own = type ? (from.output ? type->output(from.name) : type->input(from.name)) : nullptr;
    if (!own) return found;
    // A wire must not close a cycle: an output can not feed what it depends on.
    std::multimap<NodeId, NodeId> next;
    for (const nodes::Link& link : document_.links())
        from.output ? next.emplace(link.to.node, link.from.node) : next.emplace(link.from.node, link.to.node);
    std::set<NodeId> closed{from.node};
    std::vector<NodeId> open{from.node};
    while (!open.empty()) {
        const auto [begin, end] = next.equal_range(open.back());
        open.pop_back();
        for (auto at = begin; at != end; ++at)
            if (closed.insert(at->second).second) open.push_back(at->second);
    }
    for (const NodeId& id : document_.node_ids()) {
        const nodes::Node* other = closed.contains(id) ? nullptr : declaration(id);
        if (!other) continue;
        for (const nodes::SocketInfo& info : from.output ? other->inputs() : other->outputs())
            if (from.output ? fits(own->type, info.type) : fits(info.type, own->type))
                found.insert({id, info.name, !from.output});
    }
    return found;
}

bool GraphModel::type_accepts(const nodes::Node& type, const SocketId& from) const {
    const nodes::Node* own_type = declaration(from.node);
    const nodes::SocketInfo* own =
        own_type ? (from.output ? own_type->output(from.name) : own_type->input(from.name)) : nullptr;
    if (!own) return false;
    const auto& candidates = from.output ? type.inputs() : type.outputs();
    return std::ranges::any_of(candidates, [&](const nodes::SocketInfo& info) {
        return from.output ? fits(own->type, info.type) : fits(info.type, own->type);
    });
}

}  // namespace app
