// Frames, colours and levels: the edits of GraphModel that are about how a graph is read, not what it computes.
#include <algorithm>

#include "app/model/edit_command.h"
#include "nodes/core/subgraph.h"

namespace app {
namespace {

using nodes::Document;

std::string name_of(const QColor& colour) { return colour.isValid() ? colour.name().toStdString() : std::string(); }

}  // namespace

void GraphModel::read_frames() {
    frames_ = nodes::frames_of(document_);
    framed_.clear();
    framed_within_.clear();
    for (const auto& [id, frame] : frames_) {
        for (const NodeId& node : frame.nodes) framed_[node] = id;
        for (FrameId at = id; !at.empty(); at = frames_.at(at).around)
            framed_within_[at].insert(framed_within_[at].end(), frame.nodes.begin(), frame.nodes.end());
    }
    for (auto& [id, nodes] : framed_within_) std::ranges::sort(nodes);
}

const std::vector<NodeId>& GraphModel::nodes_within(const FrameId& id) const {
    static const std::vector<NodeId> none;
    const auto at = framed_within_.find(id);
    return at == framed_within_.end() ? none : at->second;
}

FrameId GraphModel::frame_of(const NodeId& id) const {
    const auto at = framed_.find(id);
    return at == framed_.end() ? FrameId() : at->second;
}

FrameId GraphModel::add_frame(const std::vector<NodeId>& ids, const QString& title) {
    if (ids.empty()) return {};
    FrameId made;
    push(tr("Frame %n node(s)", nullptr, static_cast<int>(ids.size())), nodes::add_frame(document_, ids, title.toStdString(), {}, &made));
    return made;
}

void GraphModel::remove_frames(const std::set<FrameId>& ids) {
    Document after = document_;
    for (const FrameId& id : ids) after = nodes::remove_frame(after, id);
    push(tr("Remove a frame"), std::move(after));
}

void GraphModel::set_frame_title(const FrameId& id, const QString& title) {
    if (frames_.contains(id)) push(tr("Name a frame"), nodes::set_frame_title(document_, id, title.toStdString()));
}

void GraphModel::set_frame_sizes(const std::map<FrameId, QSizeF>& sizes, Gesture gesture) {
    Document after = document_;
    for (const auto& [id, size] : sizes)
        if (frames_.contains(id)) after = nodes::set_frame_size(after, id, size.width(), size.height());
    push(tr("Resize a frame"), std::move(after), gesture.number() ? QStringLiteral("frame size %1").arg(gesture.number()) : QString());
}

void GraphModel::put_into_frame(const std::vector<NodeId>& ids, const std::set<FrameId>& frames, const FrameId& into) {
    Document after = document_;
    for (const FrameId& id : frames) after = nodes::nest_frame(after, id, into);
    for (const NodeId& id : ids) after = nodes::put_into_frame(after, id, into);
    push(into.empty() ? tr("Take out of a frame") : tr("Put into a frame"), std::move(after));
}

void GraphModel::set_frame_colour(const std::set<FrameId>& ids, const QColor& colour) {
    Document after = document_;
    for (const FrameId& id : ids)
        if (frames_.contains(id)) after = nodes::set_frame_colour(after, id, name_of(colour));
    push(tr("Colour a frame"), std::move(after));
}

void GraphModel::set_node_colour(const std::vector<NodeId>& ids, const QColor& colour) {
    std::map<NodeId, QJsonObject> layouts;
    for (const NodeId& id : ids) {
        QJsonObject& layout = layouts[id] = document_.layout_of(id);
        if (colour.isValid())
            layout["colour"] = colour.name();
        else
            layout.remove("colour");
    }
    push(tr("Colour %n node(s)", nullptr, static_cast<int>(ids.size())), document_.set_layouts(layouts));
}

void GraphModel::change_whole(const QString& text, const Document& after) {
    if (after == whole()) return;
    undo_.push(new EditCommand(*this, text, {whole(), levels_}, {after, levels_}, {}, {}));  // the stack owns it
}

bool GraphModel::go_to(const std::vector<NodeId>& uses) {
    Snapshot next{whole(), {}};
    Document level = next.whole;
    for (const NodeId& use : uses) {
        const nodes::NodeRecord* record = level.find(use);
        const std::string name = record ? nodes::subgraph_of(record->type) : std::string();
        if (name.empty() || !next.whole.subgraph(name)) return false;
        next.levels.push_back({use, name});
        level = next.whole.inside(name);
    }
    if (next.levels != levels_) show(next);
    return true;
}

}  // namespace app
