// The editor's form of a ComfyUI workflow: see comfy_graph.h. Links go by slots of the saved nodes; nodes that
// ComfyUI's editor resolves before it sends a prompt (reroutes, primitives, bypassed ones, subgraphs) are resolved
// here.
#include <QJsonDocument>
#include <map>
#include <set>

#include "gpu/base/error.h"
#include "nodes/interchange/comfy_class.h"
#include "nodes/interchange/comfy_group_nodes.h"
#include "nodes/interchange/comfy_graph.h"
#include "nodes/interchange/comfy_import.h"

namespace nodes {
namespace {

using gpu::check;
using gpu::Error;
using gpu::ErrorCode;

constexpr int muted_mode = 2, bypass_mode = 4;
constexpr const char* inputs_id = "-10";  // the node of a subgraph that stands for its inputs
constexpr const char* outputs_id = "-20";
constexpr int most_depth = 32;  // of subgraphs within subgraphs
constexpr std::size_t most_nodes = 5000;

struct RawSlot {
    std::string name, type, widget;
    std::string link;  // inputs: the id of the link that comes in, empty for none
};

struct RawNode {
    std::string id, type, title;
    int mode = 0;
    std::optional<Position> position;
    int group = -1;
    std::vector<RawSlot> inputs, outputs;
    QJsonValue widgets;
    QJsonObject definition;  // of an instance of a subgraph
    QJsonArray promoted;     // widgets that an instance has taken from inside: [node, widget]
};

struct RawLink {
    std::string from, to;
    int from_slot = 0, to_slot = 0;
};

// What an input reads in the end: an output, a value, or nothing.
struct Resolved {
    std::optional<ComfySource> source;
    QJsonValue value = QJsonValue::Undefined;
    bool lost = false;  // a link was there, and leads to a node that does not run
};

std::string string_of(const QJsonValue& value) { return value.toString().toStdString(); }

std::string type_of(const QJsonValue& value) {
    if (value.isArray()) return "COMBO";
    return value.isDouble() ? "*" : string_of(value);
}

std::vector<RawSlot> slots_of(const QJsonValue& list, const std::string& where, bool linked) {
    std::vector<RawSlot> made;
    check(list.isArray() || list.isUndefined() || list.isNull(), ErrorCode::BadFile,
          "{}: expected a list of sockets, got something else", where);
    for (const QJsonValue value : list.toArray()) {
        const QJsonObject fields = value.toObject();
        RawSlot slot{.name = string_of(fields["name"]),
                     .type = type_of(fields["type"]),
                     .widget = string_of(fields["widget"].toObject().value("name")),
                     .link = {}};
        if (linked && !fields["link"].isNull() && !fields["link"].isUndefined())
            slot.link = comfy_id(fields["link"], where);
        made.push_back(std::move(slot));
    }
    return made;
}

int slot_of(const QJsonValue& value, const std::string& where) {
    bool fine = value.isDouble();
    const qint64 slot = value.isString() ? value.toString().toLongLong(&fine) : value.toInteger(-1);
    check(fine && slot >= 0 && slot < 10000, ErrorCode::BadFile,
          "{}: expected a number of a socket, got something else", where);
    return static_cast<int>(slot);
}

class Reader {
public:
    explicit Reader(const QJsonObject& root) : root_(root) {
        graph_.form = root["version"].toDouble() >= 1 ? "UI 1.0" : "UI 0.4";
        for (const QJsonValue one : root["definitions"].toObject().value("subgraphs").toArray())
            collect_definitions(one.toObject(), 0);
        groups_ = root["extra"].toObject().value("groupNodes").toObject();
        for (auto at = groups_.begin(); at != groups_.end(); ++at)
            for (const char* prefix : {"workflow>", "workflow/"}) definitions_[prefix + at.key().toStdString()] = comfy_group_definition(at.value().toObject());
        read_level(root, "", 0, -1);
        for (const std::string& id : order_) write(raw_.at(id));
        drop_lost();
    }

    ComfyGraph take() { return std::move(graph_); }

private:
    // --- reading ---
    void collect_definitions(const QJsonObject& definition, int depth) {
        check(depth <= most_depth, ErrorCode::BadFile, "subgraphs: expected at most {} levels, got more", most_depth);
        const std::string id = string_of(definition["id"]);
        check(!id.empty(), ErrorCode::BadFile, "subgraphs: expected a text 'id', got something else");
        definitions_[id] = definition;
        for (const QJsonValue one : definition["definitions"].toObject().value("subgraphs").toArray())
            collect_definitions(one.toObject(), depth + 1);
    }

    // `around`: the group that a subgraph's instance lies in.
    void read_level(const QJsonObject& level, const std::string& prefix, int depth, int around) {
        check(depth <= most_depth, ErrorCode::BadFile,
              "subgraph {}: expected at most {} levels, got more: it holds itself", prefix, most_depth);
        check(level["nodes"].isArray(), ErrorCode::BadFile, "subgraph {}: expected a list 'nodes', got something else",
              prefix);
        const ComfyGroups groups(level["groups"], around, graph_);
        for (const QJsonValue value : level["nodes"].toArray()) read_node(value, prefix, depth, groups);
        check(level["links"].isArray() || !level.contains("links"), ErrorCode::BadFile,
              "workflow: expected a list 'links', got something else");
        for (const QJsonValue value : level["links"].toArray()) read_link(value, prefix);
    }

    void read_node(const QJsonValue& value, const std::string& prefix, int depth, const ComfyGroups& groups) {
        check(value.isObject(), ErrorCode::BadFile, "workflow: expected objects in 'nodes', got something else");
        const QJsonObject fields = value.toObject();
        RawNode node{.id = prefix + comfy_id(fields["id"], "node"),
                     .type = string_of(fields["type"]),
                     .title = string_of(fields["title"])};
        const std::string where = "node " + node.id;
        check(!node.type.empty(), ErrorCode::BadFile, "{}: expected a text 'type', got something else", where);
        node.mode = fields["mode"].toInt(0);
        node.position = comfy_position(fields["pos"]);
        node.group = groups.at(fields);
        node.inputs = slots_of(fields["inputs"], where, true);
        node.outputs = slots_of(fields["outputs"], where, false);
        node.widgets = fields["widgets_values"];
        node.promoted = fields["properties"].toObject().value("proxyWidgets").toArray();
        if (const auto at = definitions_.find(node.type); at != definitions_.end()) node.definition = at->second;
        if (const QString group = QString::fromStdString(node.type).mid(9); !node.definition.isEmpty() && groups_.contains(group) && node.widgets.isArray()) {
            const qsizetype values = node.widgets.toArray().size();
            node.promoted = comfy_group_widgets(groups_[group].toObject(), values);
            if (node.promoted.size() != values)
                graph_.adjusted.push_back({node.id, node.type, gpu::format("its {} values fit no widgets of the group: those of its nodes are taken", values)});
        }
        check(!raw_.contains(node.id), ErrorCode::BadFile, "{}: expected each id once, got it twice", where);
        check(raw_.size() < most_nodes, ErrorCode::BadFile, "workflow: expected at most {} nodes, got more",
              most_nodes);
        order_.push_back(node.id);
        const RawNode& kept = raw_[node.id] = node;
        if (!kept.definition.isEmpty() && kept.mode != muted_mode && kept.mode != bypass_mode)
            read_level(node.definition, node.id + ":", depth + 1, node.group);
    }

    void read_link(const QJsonValue& value, const std::string& prefix) {
        if (value.isNull()) return;  // left behind where a link was deleted
        RawLink link;
        std::string id;
        if (value.isArray()) {
            const QJsonArray list = value.toArray();
            check(list.size() >= 5, ErrorCode::BadFile,
                  "links: expected lists of id, node, slot, node, slot and type, got {} members", list.size());
            id = prefix + comfy_id(list[0], "link");
            const std::string where = "link " + id;
            link = {prefix + comfy_id(list[1], where), prefix + comfy_id(list[3], where), slot_of(list[2], where),
                    slot_of(list[4], where)};
        } else {
            const QJsonObject fields = value.toObject();
            id = prefix + comfy_id(fields["id"], "link");
            const std::string where = "link " + id;
            link = {prefix + comfy_id(fields["origin_id"], where), prefix + comfy_id(fields["target_id"], where),
                    slot_of(fields["origin_slot"], where), slot_of(fields["target_slot"], where)};
        }
        into_[{link.to, link.to_slot}] = link;
        links_[id] = link;
    }

    // --- resolving ---
    // "57:3" -> "57:", "3" -> "".
    static std::string prefix_of(const std::string& id) {
        const std::size_t colon = id.rfind(':');
        return colon == std::string::npos ? std::string() : id.substr(0, colon + 1);
    }

    // The link that an input's own record names, which survives when slots were inserted since; else the one to its
    // slot.
    const RawLink* link_into(const RawNode& node, std::size_t slot) const {
        if (slot < node.inputs.size() && !node.inputs[slot].link.empty()) {
            const auto at = links_.find(prefix_of(node.id) + node.inputs[slot].link);
            if (at != links_.end() && at->second.to == node.id) return &at->second;
        }
        const auto at = into_.find({node.id, static_cast<int>(slot)});
        return at == into_.end() ? nullptr : &at->second;
    }

    Resolved resolve_input(const RawNode& node, std::size_t slot, int depth) const {
        const RawLink* link = link_into(node, slot);
        return link ? resolve(link->from, link->from_slot, node.inputs[slot].type, depth + 1) : Resolved{};
    }

    // What the output of a node is in the end, for an input of this type.
    Resolved resolve(const std::string& id, int slot, const std::string& type, int depth) const {
        check(depth < 1000, ErrorCode::BadFile, "node {}: expected links that end somewhere, got a circle", id);
        const std::string prefix = prefix_of(id), own = id.substr(prefix.size());
        if (own == inputs_id && !prefix.empty()) return outside(prefix.substr(0, prefix.size() - 1), slot, depth);
        const auto at = raw_.find(id);
        if (at == raw_.end()) return {.source = {}, .lost = true};
        const RawNode& node = at->second;
        if (node.mode == muted_mode) return {.source = {}, .lost = true};
        if (node.mode == bypass_mode) return bypassed(node, slot, type, depth);
        if (!node.definition.isEmpty()) return inside(node, slot, type, depth);
        if (node.type == "PrimitiveNode") return {.source = {}, .value = primitive_value(node)};
        if (is_reroute(node)) return node.inputs.empty() ? Resolved{} : resolve_input(node, 0, depth);
        if (node.type == "GetNode") return broadcast(node, depth);
        return {.source = ComfySource{id, slot}};
    }

    static bool is_reroute(const RawNode& node) {
        return node.type == "Reroute" || node.type == "Reroute (rgthree)" || node.type == "SetNode";
    }

    // What goes into an instance of a subgraph, seen from inside.
    Resolved outside(const std::string& instance, int slot, int depth) const {
        const auto at = raw_.find(instance);
        if (at == raw_.end()) return {.source = {}, .lost = true};
        const RawNode& node = at->second;
        const std::string name = string_of(node.definition["inputs"].toArray().at(slot).toObject().value("name"));
        std::optional<std::size_t> found;
        for (std::size_t i = 0; i < node.inputs.size() && !found; ++i)
            if (node.inputs[i].name == name) found = i;
        if (!found && static_cast<std::size_t>(slot) < node.inputs.size() && name.empty())
            found = static_cast<std::size_t>(slot);
        if (!found) return {};
        Resolved made = resolve_input(node, *found, depth);
        if (!made.source && made.value.isUndefined() && !made.lost) made.value = own_value(node, *found);
        return made;
    }

    // The value of an instance's own widget: they stand in the order of the inputs that have one.
    static QJsonValue own_value(const RawNode& node, std::size_t input) {
        if (node.inputs[input].widget.empty()) return QJsonValue::Undefined;
        if (node.widgets.isObject())
            return node.widgets.toObject().value(QString::fromStdString(node.inputs[input].name));
        qsizetype at = 0;
        for (std::size_t i = 0; i < input; ++i) at += node.inputs[i].widget.empty() ? 0 : 1;
        const QJsonArray values = node.widgets.toArray();
        return at < values.size() ? values[at] : QJsonValue(QJsonValue::Undefined);
    }

    // What comes out of an instance of a subgraph.
    Resolved inside(const RawNode& node, int slot, const std::string& type, int depth) const {
        const auto at = into_.find({node.id + ":" + outputs_id, slot});
        return at == into_.end() ? Resolved{.source = {}, .lost = true}
                                 : resolve(at->second.from, at->second.from_slot, type, depth + 1);
    }

    // ComfyUI's rule: the input of the wanted type, in the output's own slot before others.
    Resolved bypassed(const RawNode& node, int slot, std::string type, int depth) const {
        const auto output = static_cast<std::size_t>(slot);
        if ((type.empty() || type == "*") && output < node.outputs.size()) type = node.outputs[output].type;
        std::vector<std::size_t> order;
        if (output < node.inputs.size()) order.push_back(output);
        for (std::size_t i = 0; i < node.inputs.size(); ++i) order.push_back(i);
        for (const std::size_t i : order) {
            if (node.inputs[i].type != type) continue;
            Resolved made = resolve_input(node, i, depth);
            if (!made.source && made.value.isUndefined()) made.lost = true;
            return made;
        }
        return {.source = {}, .lost = true};
    }

    // A pair of nodes by name in place of a wire.
    Resolved broadcast(const RawNode& node, int depth) const {
        const QJsonValue name = node.widgets.toArray().at(0);
        for (const auto& [id, other] : raw_)
            if (other.type == "SetNode" && other.widgets.toArray().at(0) == name && !name.isUndefined() &&
                prefix_of(id) == prefix_of(node.id))
                return resolve(id, 0, "*", depth + 1);
        return {.source = {}, .lost = true};
    }

    // --- writing ---
    void leave_out(const RawNode& node, std::string why) {
        graph_.left_out.push_back({node.id, node.type, std::move(why)});
    }

    void write(const RawNode& node) {
        if (node.type == "Note" || node.type == "MarkdownNote") {
            graph_.notes.push_back({node.id, node.type, string_of(node.widgets.toArray().at(0)), place_of(node), node.group});
            return;
        }
        if (node.type == "PrimitiveNode" || node.type == "GetNode" || is_reroute(node)) return;  // resolved
        if (node.mode == muted_mode) return leave_out(node, "muted");
        if (node.mode == bypass_mode) return leave_out(node, "bypassed");
        if (!node.definition.isEmpty()) return;
        ComfyNode made{.id = node.id, .type = node.type, .entry = node.type};
        if (node.title != node.type) made.title = node.title;
        made.position = place_of(node);
        made.group = node.group;
        for (const RawSlot& output : node.outputs) made.outputs.push_back(output.name);
        std::vector<std::string> widgets;
        for (const RawSlot& input : node.inputs)
            if (!input.widget.empty()) widgets.push_back(input.widget);
        assign_widgets(made, node.widgets, widgets, graph_);
        promote(made);
        for (std::size_t i = 0; i < node.inputs.size(); ++i) add_link(made, node, i);
        graph_.nodes.push_back(std::move(made));
    }

    // Values of widgets that the instances around have taken over: calls each(widget, value), outer instances last.
    template <typename Each>
    void for_promoted(const std::string& id, Each each) const {
        for (std::string prefix = prefix_of(id); !prefix.empty();) {
            const std::string instance = prefix.substr(0, prefix.size() - 1);
            const std::string inner = id.substr(prefix.size());
            prefix = prefix_of(instance);
            const auto at = raw_.find(instance);
            if (at == raw_.end() || !at->second.widgets.isArray()) continue;
            const QJsonArray values = at->second.widgets.toArray();
            const QJsonArray& promoted = at->second.promoted;
            if (promoted.size() != values.size()) continue;
            for (qsizetype i = 0; i < promoted.size(); ++i) {
                const QJsonArray pair = promoted[i].toArray();
                const std::string widget = string_of(pair[1]);
                if (!widget.empty() && pair[0].toVariant().toString().toStdString() == inner && !values[i].isNull()) each(widget, values[i]);
            }
        }
    }

    void promote(ComfyNode& made) const {
        for_promoted(made.id, [&](const std::string& widget, const QJsonValue& value) { made.make_input(widget).value = value; });
    }

    QJsonValue primitive_value(const RawNode& node) const {
        QJsonValue value = node.widgets.isObject() ? node.widgets.toObject().value("value") : node.widgets.toArray().at(0);
        for_promoted(node.id, [&](const std::string& widget, const QJsonValue& given) {
            if (widget == "value") value = given;
        });
        return value;
    }

    // Inner nodes of a subgraph gather around their instance.
    std::optional<Position> place_of(const RawNode& node) const {
        const std::string prefix = prefix_of(node.id);
        if (prefix.empty() || !node.position) return node.position;
        const auto at = raw_.find(prefix.substr(0, prefix.size() - 1));
        const std::optional<Position> around = at == raw_.end() ? std::nullopt : place_of(at->second);
        Position least{1e9, 1e9};
        for (const auto& [id, other] : raw_)
            if (prefix_of(id) == prefix && other.position)
                least = {std::min(least.x, other.position->x), std::min(least.y, other.position->y)};
        return around ? Position{around->x + node.position->x - least.x, around->y + node.position->y - least.y}
                      : *node.position;
    }

    void add_link(ComfyNode& made, const RawNode& node, std::size_t slot) {
        const RawSlot& input = node.inputs[slot];
        const Resolved found = resolve_input(node, slot, 0);
        const std::string name = input.widget.empty() ? input.name : input.widget;
        if (found.lost) lost_.insert({made.id, name});
        if (!found.source && found.value.isUndefined()) {
            if (input.widget.empty() && !name.empty()) made.make_input(name);
            return;
        }
        ComfyInput& target = made.make_input(name);
        target.source = found.source;
        if (!found.value.isUndefined()) target.value = found.value;
    }

    // A node without an input that it needs does not run, and those that need it neither.
    void drop_lost() {
        for (bool found = true; found;) {
            found = false;
            for (auto at = graph_.nodes.begin(); at != graph_.nodes.end();) {
                const std::string missing = lost_input(*at);
                if (missing.empty()) {
                    ++at;
                    continue;
                }
                graph_.left_out.push_back(
                    {at->id, at->type, "its input " + missing + " comes from a node that does not run"});
                const std::string gone = at->id;
                at = graph_.nodes.erase(at);
                for (ComfyNode& node : graph_.nodes)
                    for (ComfyInput& input : node.inputs)
                        if (input.source && input.source->node == gone) {
                            input.source.reset();
                            lost_.insert({node.id, input.name});
                        }
                found = true;
            }
        }
    }

    std::string lost_input(const ComfyNode& node) const {
        const ComfyClass* known = find_comfy_class(node.type);
        for (const ComfyInput& input : node.inputs) {
            if (!lost_.contains({node.id, input.name})) continue;
            const ComfyField* field = known ? known->field(input.name) : nullptr;
            if (field && !field->optional && !field->widget()) return input.name;
        }
        return {};
    }

    const QJsonObject& root_;
    ComfyGraph graph_;
    std::map<std::string, QJsonObject> definitions_;
    QJsonObject groups_;      // extra.groupNodes
    std::map<std::string, RawNode> raw_;
    std::vector<std::string> order_;
    std::map<std::string, RawLink> links_;
    std::map<std::pair<std::string, int>, RawLink> into_;
    std::set<std::pair<std::string, std::string>> lost_;
};

}  // namespace

ComfyGraph read_comfy_workflow(const QJsonObject& root) { return Reader(root).take(); }

}  // namespace nodes
