// Copy, paste and duplicate: a fragment of a graph is the text of a document, so that it travels through chats and
// files.
#include <algorithm>
#include <cmath>
#include <limits>

#include "app/model/graph_model.h"

namespace app {
namespace {

using nodes::Document;

constexpr QPointF duplicate_offset{30, 30};

Document fragment_of(const Document& document, const std::vector<NodeId>& ids) {
    Document fragment = document;
    for (const NodeId& id : document.node_ids())
        if (std::ranges::find(ids, id) == ids.end()) fragment = fragment.remove_node(id);
    return fragment.set_extra({}).with_path({});
}

QPointF corner_of(const Document& document) {
    double x = std::numeric_limits<double>::infinity(), y = x;
    for (const NodeId& id : document.node_ids()) {
        x = std::min(x, document.position(id).x);
        y = std::min(y, document.position(id).y);
    }
    return std::isfinite(x) ? QPointF(x, y) : QPointF();
}

}  // namespace

QByteArray GraphModel::copy(const std::vector<NodeId>& ids) const {
    return ids.empty() ? QByteArray() : fragment_of(document_, ids).to_json();
}

std::vector<NodeId> GraphModel::paste(const QByteArray& text, QPointF at) {
    const Document fragment = Document::from_json(text);
    return insert(fragment, at - corner_of(fragment), tr("Paste"));
}

std::vector<NodeId> GraphModel::duplicate(const std::vector<NodeId>& ids) {
    return insert(fragment_of(document_, ids), duplicate_offset, tr("Duplicate"));
}

std::vector<NodeId> GraphModel::insert(const Document& fragment, QPointF shift, const QString& text) {
    Document after = document_;
    std::map<NodeId, NodeId> renamed;
    std::vector<NodeId> made;
    for (const NodeId& id : fragment.node_ids()) {
        nodes::NodeRecord record = fragment.node(id);
        record.id = after.contains(id) ? after.free_id(id) : id;
        const nodes::Position position = fragment.position(id);
        QJsonObject layout = fragment.layout_of(id);
        layout["x"] = std::round(position.x + shift.x());
        layout["y"] = std::round(position.y + shift.y());
        renamed[id] = record.id;
        made.push_back(record.id);
        after = after.add_record(std::move(record));
        after = after.set_layout(made.back(), layout);
    }
    for (const nodes::Link& link : fragment.links())
        if (renamed.contains(link.from.node) && renamed.contains(link.to.node))
            after = after.connect({renamed[link.from.node], link.from.socket}, {renamed[link.to.node], link.to.socket});
    push(text, std::move(after));
    return made;
}

}  // namespace app
