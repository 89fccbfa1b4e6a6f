#include "nodes/core/subgraph.h"

#include <algorithm>
#include <map>

#include "gpu/base/error.h"
#include "nodes/core/any_type.h"
#include "nodes/core/eval.h"
#include "nodes/core/expression.h"
#include "nodes/core/find_socket_type.h"
#include "nodes/core/frames.h"
#include "nodes/core/node.h"

namespace nodes {
namespace {

using gpu::Error;
using gpu::ErrorCode;

constexpr const char* prefix = "subgraph:";
constexpr const char* input_id = "subgraph.input";
constexpr const char* output_id = "subgraph.output";

std::string text_field(const QJsonObject& object, const char* name) { return object[QLatin1String(name)].toString().toStdString(); }

// The ports in the order in which a use shows them.
std::vector<const NodeRecord*> ports(const Document& content, const char* type) {
    std::vector<const NodeRecord*> found;
    for (const std::string& id : content.node_ids())
        if (content.node(id).type == type) found.push_back(&content.node(id));
    std::ranges::stable_sort(found, {}, [](const NodeRecord* port) { return port->params["order"].toInt(0); });
    return found;
}

// Whether a node inside must have what the port brings.
bool port_needed(const Document& content, const NodeRecord& port) {
    if (content.link_into({port.id, "value"})) return false;
    return std::ranges::any_of(content.links(), [&](const Link& link) {
        const Node* reader = link.from.node == port.id ? content.type_of(link.to.node) : nullptr;
        const SocketInfo* input = reader ? reader->input(link.to.socket) : nullptr;
        return input && !input->optional && input->initial.empty();
    });
}

// Never runs: lowering.h puts what is inside in its place.
struct SubgraphNode final : Node {
    using Node::Node;
    void compute(Eval&) const override { throw Error(ErrorCode::Failure, "expected the inside of subgraph {} to run", info().title); }
};

NodeInfo info_of(const std::string& name, const Document& content) {
    const QJsonObject fields = content.extra();
    NodeInfo info{.id = subgraph_type_id(name), .version = std::max(1, fields["version"].toInt(1)), .title = text_field(fields, "title"),
                  .category = text_field(fields, "category"), .help = text_field(fields, "help")};
    if (info.title.empty()) info.title = name;
    if (info.category.empty()) info.category = "Subgraph";
    if (info.help.empty()) info.help = "A subgraph of this document.";
    for (const std::string& id : content.node_ids())
        if (const Node* type = content.type_of(id)) {
            info.side_effect |= type->info().side_effect;
            info.target |= type->info().target;
        }
    return info;
}

}  // namespace

std::string subgraph_of(const std::string& type) { return type.starts_with(prefix) ? type.substr(std::string_view(prefix).size()) : std::string(); }
std::string subgraph_type_id(const std::string& name) { return prefix + name; }

bool is_port(const std::string& type) { return type == input_id || type == output_id; }

std::set<std::string> used_subgraphs(const Document& content) {
    std::set<std::string> used;
    for (const std::string& id : content.node_ids())
        if (std::string name = subgraph_of(content.node(id).type); !name.empty()) used.insert(std::move(name));
    return used;
}

std::vector<std::pair<std::string, Endpoint>> subgraph_params(const Document& content) {
    std::vector<std::pair<std::string, Endpoint>> list;
    const QJsonObject fields = content.extra()["params"].toObject();
    for (auto at = fields.begin(); at != fields.end(); ++at) {
        const std::string text = at.value().toString().toStdString();
        const auto dot = text.find('.');
        if (dot != std::string::npos) list.emplace_back(at.key().toStdString(), Endpoint{text.substr(0, dot), text.substr(dot + 1)});
    }
    return list;
}

const SocketType* port_type(const Document& content, const NodeRecord& port) {
    if (const std::string stated = content.param(port.id, "type").toString().toStdString(); !stated.empty())
        return find_socket_type(stated);
    if (const Link* inside = content.link_into({port.id, "value"})) return flowing_type(content, inside->from);
    if (port.type != input_id) return nullptr;
    for (const Link& link : content.links()) {
        const Node* reader = link.from.node == port.id ? content.type_of(link.to.node) : nullptr;
        const SocketInfo* input = reader ? reader->input(link.to.socket) : nullptr;
        if (input && !input->type->any) return input->type;
    }
    return nullptr;
}

std::shared_ptr<const Node> subgraph_type(const std::string& name, const Document& content) {
    auto type = std::make_shared<SubgraphNode>(info_of(name, content));
    const auto socket = [&](const NodeRecord& port) {
        const SocketType* flows = port_type(content, port);
        return SocketInfo{.name = port.id, .label = text_field(port.params, "label"), .help = text_field(port.params, "help"),
                          .type = flows ? flows : &socket_type<Value>(), .optional = port.type == output_id || !port_needed(content, port)};
    };
    for (const NodeRecord* port : ports(content, input_id)) type->declare_input(socket(*port));
    for (const NodeRecord* port : ports(content, output_id)) type->declare_output(socket(*port));
    for (const auto& [param, at] : subgraph_params(content)) {
        const Node* inner = content.type_of(at.node);
        const ParamInfo* known = inner ? inner->param(at.socket) : nullptr;
        if (!known || type->param(param)) continue;
        ParamInfo info = *known;
        info.name = param;
        info.label.clear();
        try {
            info.initial = computed_param(content, at.node, at.socket);
        } catch (const Error&) {      // said by whoever validates the inside
        }
        type->declare_param(std::move(info));
    }
    return type;
}

std::vector<SubgraphProblem> subgraph_problems(const Document& content) {
    std::vector<SubgraphProblem> problems;
    for (const char* type : {input_id, output_id})
        for (const NodeRecord* port : ports(content, type)) {
            const std::string stated = content.param(port->id, "type").toString().toStdString();
            if (!stated.empty() && !find_socket_type(stated))
                problems.push_back({port->id, "expected the name of a socket type, got '" + stated + "'"});
        }
    const QJsonValue listed = content.extra().value("params");
    if (!listed.isObject() && !listed.isUndefined()) problems.push_back({"", "expected an object 'params' of parameters, NAME: \"NODE.PARAM\""});
    const QJsonObject fields = listed.toObject();
    for (auto at = fields.begin(); at != fields.end(); ++at)
        if (const QStringList parts = at.value().toString().split('.'); parts.size() != 2 || parts[0].isEmpty() || parts[1].isEmpty())
            problems.push_back({"", "parameter " + at.key().toStdString() + ": expected a text NODE.PARAM, got another value"});
    for (const auto& [param, at] : subgraph_params(content)) {
        const Node* inner = content.type_of(at.node);
        if (!inner || !inner->param(at.socket))
            problems.push_back({"", "parameter " + param + ": expected a parameter of a node inside, got '" + at.text() + "'"});
    }
    return problems;
}

// --- making and dissolving ---

namespace {

// Where a path leads out of the nodes and back in, one use in their place would read itself.
void expect_convex(const Document& document, const std::set<std::string>& inside) {
    std::multimap<std::string, std::string> readers;
    for (const Link& link : document.links()) readers.emplace(link.from.node, link.to.node);
    std::set<std::string> seen;
    std::vector<std::string> open;
    const auto follow = [&](const std::string& id) {
        for (auto [at, end] = readers.equal_range(id); at != end; ++at) open.push_back(at->second);
    };
    for (const std::string& id : inside) follow(id);
    std::erase_if(open, [&](const std::string& id) { return inside.contains(id); });
    while (!open.empty()) {
        const std::string id = std::move(open.back());
        open.pop_back();
        gpu::check(!inside.contains(id), ErrorCode::InvalidGraph, "make a subgraph: expected no path out of the nodes and back, '{}' is reached by one", id);
        if (seen.insert(id).second) follow(id);
    }
}

Position middle_of(const Document& document, const std::vector<std::string>& ids) {
    Position sum;
    for (const std::string& id : ids) sum.x += document.position(id).x, sum.y += document.position(id).y;
    const auto count = static_cast<double>(std::max<std::size_t>(1, ids.size()));
    return {std::round(sum.x / count), std::round(sum.y / count)};
}

}  // namespace

Document grouped(const Document& document, const std::vector<std::string>& ids, const std::string& name, std::string* made) {
    gpu::check(!ids.empty(), ErrorCode::InvalidGraph, "make a subgraph: expected nodes, got none");
    gpu::check(!document.subgraph(name), ErrorCode::InvalidGraph, "make a subgraph: expected a name that is free, '{}' is taken", name);
    const std::set<std::string> inside(ids.begin(), ids.end());
    expect_convex(document, inside);
    constexpr double apart = 260;

    Document content, outside = document.remove_nodes(inside);
    for (const std::string& id : inside) content = content.add_record(document.node(id)).set_layout(id, document.layout_of(id));
    std::map<std::string, std::string> kept;
    const Document framed = with_whole_frames(content, document);
    content = with_frames_of(content, framed, &kept);
    for (const std::string& id : inside) content = content.set_layout(id, with_frame(content.layout_of(id), kept));
    std::map<Endpoint, std::string> in_ports, out_ports;      // by the source that they carry
    std::vector<std::pair<Endpoint, Endpoint>> joins;         // made when the use is there; an empty node is the use
    const auto port_for = [&](std::map<Endpoint, std::string>& known, const Endpoint& source, const std::string& wanted, std::string_view type, Position at) {
        const auto [entry, fresh] = known.try_emplace(source);
        if (!fresh) return std::pair(entry->second, false);
        const bool taken = content.contains(wanted);
        content = content.add_node(std::string(type), content.free_id(!taken ? wanted : wanted + (type == input_id ? "_in" : "_out")), at, &entry->second);
        if (taken) content = content.set_param(entry->second, "label", QString::fromStdString(wanted));
        return std::pair(entry->second, fresh);
    };
    for (const Link& link : document.links()) {
        const bool from = inside.contains(link.from.node), to = inside.contains(link.to.node);
        if (from && to) content = content.connect(link.from, link.to);
        if (!from && to) {
            const Position at = document.position(link.to.node);
            const auto [port, fresh] = port_for(in_ports, link.from, link.to.socket, input_id, {at.x - apart, at.y});
            content = content.connect({port, "value"}, link.to);
            if (fresh) joins.push_back({link.from, {"", port}});
        }
        if (from && !to) {
            const Position at = document.position(link.from.node);
            const auto [port, fresh] = port_for(out_ports, link.from, link.from.socket, output_id, {at.x + apart, at.y});
            if (fresh) content = content.connect(link.from, {port, "value"});
            joins.push_back({{"", port}, link.to});
        }
    }
    // Frames that are wholly inside go along; of others the nodes are members no more, and the innermost around all gets the use.
    const Frames frames = frames_of(document);
    const std::set<std::string> whole = whole_frames(frames, inside);
    std::string around = frame_of(document, ids.front());
    const auto holds_all = [&](const std::string& frame) {
        const std::vector<std::string> held = nodes_within(frames, frame);
        return std::ranges::includes(held, inside);
    };
    while (!around.empty() && (whole.contains(around) || !holds_all(around))) around = frames.at(around).around;

    std::string use;
    outside = outside.set_subgraph(name, content).add_node(subgraph_type_id(name), outside.free_id(name), middle_of(document, ids), &use);
    for (auto& [from, to] : joins) {
        if (from.node.empty()) from.node = use;
        if (to.node.empty()) to.node = use;
        outside = outside.connect(from, to);
    }
    if (!around.empty()) outside = put_into_frame(outside, use, around);
    if (made) *made = use;
    return without_empty_frames(outside);
}

Document ungrouped(const Document& document, const std::string& use) {
    const NodeRecord record = document.node(use);
    const std::string name = subgraph_of(record.type);
    gpu::check(!name.empty(), ErrorCode::InvalidGraph, "dissolve a subgraph: expected a node that is one, '{}' is of type {}", use, record.type);
    Document content = document.inside(name);
    for (const auto& [param, at] : subgraph_params(content))
        if (const QJsonValue set = record.params[QString::fromStdString(param)]; !set.isUndefined() && content.contains(at.node))
            content = content.set_param(at.node, at.socket, set);

    Document result = document.remove_node(use);
    std::map<std::string, std::string> ids;      // inside -> outside; ports are none
    std::vector<std::string> moved;
    for (const std::string& id : content.node_ids())
        if (!is_port(content.node(id).type)) moved.push_back(id);
    const std::string around = frame_of(document, use);
    std::map<std::string, std::string> frames;      // inside -> outside
    if (!around.empty()) frames[""] = around;
    result = with_frames_of(result, content, &frames);
    const Position from = middle_of(content, moved), to = document.position(use);
    for (const std::string& id : moved) {
        NodeRecord inner = content.node(id);
        inner.id = ids[id] = result.contains(id) ? result.free_id(id) : id;
        if (inner.mode == NodeMode::On) inner.mode = record.mode;
        const Position at = content.position(id);
        QJsonObject fields = with_frame(content.layout_of(id), frames);
        result = result.add_record(std::move(inner)).set_layout(ids[id], fields);
        result = result.move(ids[id], {to.x + at.x - from.x, to.y + at.y - from.y});
    }
    // The source outside of what a source inside is; a port's is what is linked into it, outside first.
    const auto outer = [&](Endpoint source) -> std::optional<Endpoint> {
        for (std::size_t step = 0; step <= content.links().size(); ++step) {
            if (!content.contains(source.node)) return std::nullopt;
            if (!is_port(content.node(source.node).type)) return Endpoint{ids.at(source.node), source.socket};
            if (const Link* link = document.link_into({use, source.node})) return link->from;
            const Link* inside = content.link_into({source.node, "value"});
            if (!inside) return std::nullopt;
            source = inside->from;
        }
        return std::nullopt;
    };
    for (const Link& link : content.links())
        if (const auto source = outer(link.from); source && ids.contains(link.to.node))
            result = result.connect(*source, {ids.at(link.to.node), link.to.socket});
    for (const Link& link : document.links_of(use)) {
        const Link* inside = link.from.node == use ? content.link_into({link.from.socket, "value"}) : nullptr;
        if (!inside) continue;
        if (const auto source = outer(inside->from)) result = result.connect(*source, link.to);
    }
    return without_empty_frames(result);
}

}  // namespace nodes
