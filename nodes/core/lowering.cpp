#include "nodes/core/lowering.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "gpu/base/error.h"
#include "nodes/core/any_type.h"
#include "nodes/core/expression.h"
#include "nodes/core/node.h"
#include "nodes/core/on_demand.h"
#include "nodes/core/subgraph.h"
#include "nodes/core/validate.h"

namespace nodes {
namespace {

using gpu::ErrorCode;

// --- subgraphs ---

// Ten uses of a subgraph of ten uses of ... : a file of a few lines must not fill the memory.
constexpr std::size_t most_nodes = 200000;

class Expander {
public:
    explicit Expander(const Document& document) : document_(document) { open(computed(document), "", NodeMode::On); }
    Document take() { return document_.with_content(records_, std::move(links_)); }

private:
    // The content of a level, its nodes renamed to `prefix` + id.
    void open(const Document& level, const std::string& prefix, NodeMode mode) {
        std::set<std::string> uses;
        for (const std::string& id : level.node_ids()) {
            gpu::check(++seen_ <= most_nodes, ErrorCode::InvalidGraph, "expected at most {} nodes once subgraphs are open, got more", most_nodes);
            NodeRecord record = level.node(id);
            record.id = prefix + id;
            if (mode == NodeMode::Muted) record.mode = mode;
            if (opens(record)) {
                uses.insert(id);
                open_use(record);
            } else {
                records_.push_back(std::move(record));
            }
        }
        for (const Link& link : level.links()) {
            Link inner{.from = {prefix + link.from.node, link.from.socket}, .to = {prefix + link.to.node, link.to.socket}};
            // A port inside is a node whose name is the socket's.
            if (uses.contains(link.from.node)) inner.from = {inner.from.node + "/" + link.from.socket, "value"};
            if (uses.contains(link.to.node)) {
                inner.to = {inner.to.node + "/" + link.to.socket, "value"};
                std::erase_if(links_, [&](const Link& other) { return other.to == inner.to; });      // what it gives otherwise
            }
            links_.push_back(std::move(inner));
        }
    }

    // A bypassed use is a node like others: what is inside does not matter.
    bool opens(const NodeRecord& record) const {
        const std::string name = subgraph_of(record.type);
        return !name.empty() && record.mode != NodeMode::Bypassed && document_.subgraph(name);
    }

    void open_use(const NodeRecord& use) {
        const std::string name = subgraph_of(use.type);
        gpu::check(std::ranges::find(within_, name) == within_.end(), ErrorCode::InvalidGraph, "expected subgraph '{}' not to hold itself", name);
        gpu::check(within_.size() < deepest_subgraph, ErrorCode::InvalidGraph, "expected subgraphs at most {} deep, got '{}' below", deepest_subgraph, name);
        within_.push_back(name);
        Document content = document_.inside(name);
        std::map<Endpoint, QJsonValue> values;
        for (const auto& [param, at] : subgraph_params(content))
            if (const QJsonValue set = use.params[QString::fromStdString(param)]; !set.isUndefined()) values[at] = formula_of_level(set, use.id.substr(0, use.id.rfind('/') + 1));
        for (const auto& [at, value] : values)      // expressions inside see what the use gives
            if (content.contains(at.node)) content = content.set_param(at.node, at.socket, value);
        open(computed(content), use.id + "/", use.mode);
        within_.pop_back();
    }

    const Document& document_;
    std::vector<NodeRecord> records_;
    std::vector<Link> links_;
    std::vector<std::string> within_;
    std::size_t seen_ = 0;
};

// --- modes and wires ---

class Settler {
public:
    explicit Settler(const Document& document, Ports ports = Ports::Removed) : document_(document) {
        for (const std::string& id : document.node_ids()) {
            const NodeRecord& record = document.node(id);
            const Node* type = document.type_of(record);
            if (record.mode == NodeMode::Muted)
                muted_.insert(id);
            else if (record.mode == NodeMode::Bypassed || (type && type->info().wire && (ports == Ports::Removed || !is_port(record.type))))
                passed_.insert(id);
        }
    }

    Document take() {
        if (muted_.empty() && passed_.empty()) return document_;
        while (mute_readers()) {}
        std::vector<Link> links;
        for (const Link& link : document_.links())
            if (runs(link.to.node))
                if (const Source source = source_of(link.from); source.end) links.push_back({*source.end, link.to, link.extra});
        std::vector<NodeRecord> records;
        for (const std::string& id : document_.node_ids())
            if (runs(id)) records.push_back(document_.node(id));
        return document_.with_content(records, std::move(links));
    }

    std::optional<Endpoint> end_of(const Endpoint& from) const { return source_of(from).end; }

private:
    struct Source {
        std::optional<Endpoint> end;      // none: nothing is linked
        bool muted = false;
    };

    bool runs(const std::string& id) const { return !muted_.contains(id) && !passed_.contains(id); }

    // Goes back through what only passes on; a ring of such nodes leads nowhere.
    Source source_of(Endpoint at) const {
        for (std::size_t steps = 0; steps <= passed_.size(); ++steps) {
            if (muted_.contains(at.node)) return {std::nullopt, true};
            if (!passed_.contains(at.node)) return {at, false};
            const Node* type = document_.type_of(at.node);
            const std::string input = type ? passing_input(*type, at.socket) : std::string();
            const Link* link = input.empty() ? nullptr : document_.link_into({at.node, input});
            if (!link) return {};
            at = link->from;
        }
        return {};
    }

    // Mutes nodes that need what a muted one would give; false when there was none.
    bool mute_readers() {
        bool found = false;
        for (const Link& link : document_.links()) {
            if (!runs(link.to.node) || !source_of(link.from).muted) continue;
            const Node* reader = document_.type_of(link.to.node);
            const SocketInfo* input = reader ? reader->input(link.to.socket) : nullptr;
            if (input && !input->optional && input->initial.empty()) found |= muted_.insert(link.to.node).second;
        }
        return found;
    }

    const Document document_;
    std::set<std::string> muted_, passed_;
};

}  // namespace

std::string passing_input(const Node& type, const std::string& output) {
    const SocketInfo* socket = type.output(output);
    if (!socket) return {};
    if (const SocketInfo* same = type.input(output); same && same->type == socket->type) return same->name;
    const auto at = std::ranges::find(type.inputs(), socket->type, &SocketInfo::type);
    return at == type.inputs().end() ? std::string() : at->name;
}

Document expanded(const Document& document) { return used_subgraphs(document).empty() ? document : Expander(document).take(); }
Document settled(const Document& document, Ports ports) { return Settler(computed(document), ports).take(); }

Document lowered(const Document& document, const FilePlaces* places, std::vector<ListProblem>* problems) {
    Document low = settled(expanded(document));
    if (const std::vector<std::string> idle = undemanded(low); !idle.empty()) low = settled(low.set_modes({idle.begin(), idle.end()}, NodeMode::Bypassed));
    Unrolled made = unrolled(low, places);
    if (problems) problems->insert(problems->end(), made.problems.begin(), made.problems.end());
    return std::move(made.document);
}

namespace {

// The elements of a node, or of all that a use of a subgraph stands for, where that use is in no list.
void add_below(const Document& low, const std::string& prefix, bool all, std::set<std::string>& found) {
    for (const std::string& id : low.node_ids()) {
        if (!id.starts_with(prefix)) continue;
        const Node* type = low.type_of(id);
        if (all || (type && (type->info().side_effect || type->info().target))) found.insert(id);
    }
}

}  // namespace

std::vector<std::string> lowered_targets(const Document& document, const Document& low, const std::vector<std::string>& targets) {
    std::vector<std::string> result;
    std::optional<Settler> open;      // made for the first use of a subgraph among the targets
    for (const std::string& target : targets) {
        if (low.contains(target)) {
            result.push_back(target);
            continue;
        }
        std::set<std::string> found;
        const bool runs = document.contains(target) && document.node(target).mode == NodeMode::On;
        if (runs && subgraph_of(document.node(target).type).empty()) add_below(low, target + "/", true, found);
        if (runs && !subgraph_of(document.node(target).type).empty()) {
            if (!open) open.emplace(expanded(document));
            const std::string prefix = target + "/";
            for (const SocketInfo& output : document.type_of(target)->outputs())
                if (const auto end = open->end_of({prefix + output.name, "value"})) {
                    if (low.contains(end->node)) found.insert(end->node);
                    add_below(low, end->node + "/", true, found);
                }
            add_below(low, prefix, false, found);
        }
        // One that acts on demand, and nobody demands it: what it would act on.
        if (runs && found.empty() && dynamic_cast<const ActsOnDemand*>(document.type_of(target)))
            for (const Link& link : document.links_into(target))
                if (low.contains(link.from.node)) found.insert(link.from.node);
        gpu::check(!found.empty(), ErrorCode::InvalidGraph, "expected a node that runs as target, '{}' does not", target);
        result.insert(result.end(), found.begin(), found.end());
    }
    return result;
}

}  // namespace nodes
