// Copy, paste and duplicate: a fragment of a graph is the text of a document, so that it travels through chats and
// files.
#include <algorithm>
#include <cmath>
#include <limits>

#include "app/model/apart.h"
#include "app/model/graph_model.h"
#include "nodes/core/subgraph.h"
#include "nodes/interchange/open_graph.h"

namespace app {
namespace {

using nodes::Document;

constexpr QPointF duplicate_offset{30, 30};
constexpr std::size_t many_nodes = 500;        // to make copies of takes some 10 microseconds each
constexpr qsizetype large_text = 64 << 10;     // bytes; as many nodes

// Subgraphs that a document's nodes use, and those that these use.
std::set<std::string> used_within(const Document& document) {
    std::set<std::string> found;
    std::vector<std::string> open;
    const auto look = [&](const Document& content) {
        for (const std::string& name : nodes::used_subgraphs(content))
            if (found.insert(name).second) open.push_back(name);
    };
    look(document);
    while (!open.empty()) {
        const std::string name = std::move(open.back());
        open.pop_back();
        if (const Document* content = document.subgraph(name)) look(*content);
    }
    return found;
}

// The fragment's subgraphs in `document`, under other names where theirs are taken; `types` says which.
Document with_subgraphs(Document document, const Document& fragment, std::map<std::string, std::string>& types) {
    std::map<std::string, std::string> names;
    for (const std::string& name : fragment.subgraph_names()) {
        std::string free = name;
        const auto same = [&] { return document.subgraph(free) && *document.subgraph(free) == *fragment.subgraph(name); };
        for (int number = 2; document.subgraph(free) && !same(); ++number) free = name.substr(0, 56) + std::to_string(number);
        names[name] = free;
        types[nodes::subgraph_type_id(name)] = nodes::subgraph_type_id(free);
        if (!document.subgraph(free)) document = document.set_subgraph(free, *fragment.subgraph(name));
    }
    for (const auto& [name, free] : names) {
        if (name == free) continue;      // what was renamed refers to what was renamed
        Document content = document.inside(free);
        std::vector<nodes::NodeRecord> records;
        for (const std::string& id : content.node_ids()) {
            records.push_back(content.node(id));
            if (const auto at = types.find(records.back().type); at != types.end()) records.back().type = at->second;
        }
        document = document.set_subgraph(free, content.with_content(records, content.links()));
    }
    return document;
}

Document fragment_of(const Document& document, const std::vector<NodeId>& ids) {
    const std::set<NodeId> kept(ids.begin(), ids.end());
    std::set<NodeId> others;
    for (const NodeId& id : document.node_ids())
        if (!kept.contains(id)) others.insert(id);
    Document fragment = document.remove_nodes(others);
    const std::set<std::string> used = used_within(fragment);
    for (const std::string& name : fragment.subgraph_names())
        if (!used.contains(name)) fragment = fragment.remove_subgraph(name);
    return nodes::with_whole_frames(fragment.set_extra({}), document).with_path({});
}

// Uses of subgraphs that have another name here.
Document with_types(const Document& fragment, const std::map<std::string, std::string>& types) {
    std::vector<nodes::NodeRecord> records;
    for (const NodeId& id : fragment.node_ids()) {
        records.push_back(fragment.node(id));
        if (const auto at = types.find(records.back().type); at != types.end()) records.back().type = at->second;
    }
    return fragment.with_content(records, fragment.links());
}

QPointF corner_of(const Document& document) {
    double x = std::numeric_limits<double>::infinity(), y = x;
    for (const NodeId& id : document.node_ids()) {
        x = std::min(x, document.position(id).x);
        y = std::min(y, document.position(id).y);
    }
    return std::isfinite(x) ? QPointF(x, y) : QPointF();
}

GraphModel::Inserted inserted(const Document& document, const Document& fragment, QPointF shift, std::map<FrameId, FrameId> frames = {}) {
    std::map<std::string, std::string> types;
    Document after = with_subgraphs(document, fragment, types);
    after = nodes::with_frames_of(after, fragment, &frames);
    std::map<NodeId, NodeId> renamed;
    after = after.add_all(types.empty() ? fragment : with_types(fragment, types), &renamed);
    std::map<NodeId, QJsonObject> layouts;
    std::vector<NodeId> made;
    for (const auto& [id, own] : renamed) {
        QJsonObject& layout = layouts[own] = nodes::with_frame(fragment.layout_of(id), frames);
        layout["x"] = std::round(layout["x"].toDouble() + shift.x());
        layout["y"] = std::round(layout["y"].toDouble() + shift.y());
        made.push_back(own);
    }
    return {nodes::without_empty_frames(after.set_layouts(layouts)), std::move(made)};
}

}  // namespace

QByteArray GraphModel::copy(const std::vector<NodeId>& ids) const {
    return ids.empty() ? QByteArray() : fragment_of(document_, ids).to_json();
}

std::vector<NodeId> GraphModel::paste(const QByteArray& text, QPointF at) {
    return insert(tr("Paste"), text.size() > large_text, [text, at](const Document& document) {
        const Document fragment = nodes::open_graph_text(text).document;  // also of a ComfyUI workflow
        return inserted(document, fragment, at - corner_of(fragment));
    });
}

std::vector<NodeId> GraphModel::duplicate(const std::vector<NodeId>& ids) {
    return insert(tr("Duplicate"), ids.size() > many_nodes, [ids](const Document& document) {
        std::map<FrameId, FrameId> own;      // what is doubled in a frame is in that frame
        for (const auto& [id, frame] : nodes::frames_of(document)) own[id] = id;
        return inserted(document, fragment_of(document, ids), duplicate_offset, std::move(own));
    });
}

// `work` makes the edit: of a large one in a thread of its own.
std::vector<NodeId> GraphModel::insert(const QString& text, bool large, const std::function<Inserted(const Document&)>& work) {
    const Document before = document_;
    Inserted done = large ? apart([&] { return work(before); }) : work(before);
    if (large && document_ != before) done = work(document_);  // something else was edited meanwhile
    push(text, std::move(done.document));
    return std::move(done.nodes);
}

}  // namespace app
