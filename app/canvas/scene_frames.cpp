// The frames of a scene: which items there are, which nodes a drop puts into which frame, and moving by the keyboard.
#include <algorithm>
#include <cmath>

#include "app/canvas/scene.h"

namespace app {

void GraphScene::rebuild_frames() {
    frames_.clear();
    sync_frames();
}

void GraphScene::sync_frames() {
    std::erase_if(frames_, [this](const auto& entry) { return !model_.frames().contains(entry.first); });
    for (const auto& [id, frame] : model_.frames()) {
        std::unique_ptr<FrameItem>& item = frames_[id];
        if (item) {
            item->refresh();
            continue;
        }
        item = std::make_unique<FrameItem>(*this, id);
        addItem(item.get());
    }
}

FrameItem* GraphScene::frame_item(const FrameId& id) const {
    const auto at = frames_.find(id);
    return at == frames_.end() ? nullptr : at->second.get();
}

void GraphScene::fit_frames() {
    fit_later_.stop();
    for (const auto& [id, frame] : frames_) frame->fit();
}

void GraphScene::fit_moving_frames() {
    for (const auto& [id, frame] : frames_)
        if (frame->selected()) frame->fit();
}

void GraphScene::fit_frames_later() {
    if (!frames_.empty() && !moving_) fit_later_.start();
}

std::set<FrameId> GraphScene::selected_frames() const {
    std::set<FrameId> found;
    for (const auto& [id, frame] : frames_)
        if (frame->selected()) found.insert(id);
    return found;
}

FrameId GraphScene::frame_at(QPointF point) const {
    FrameId best;
    qreal smallest = 0;
    for (const auto& [id, frame] : frames_) {
        const QRectF& box = frame->box();
        const qreal area = box.width() * box.height();
        if (box.contains(point) && (best.empty() || area < smallest)) best = id, smallest = area;
    }
    return best;
}

const FrameItem* GraphScene::frame_title_at(QPointF point) const {
    for (QGraphicsItem* any : items(point)) {
        if (const auto* frame = qgraphicsitem_cast<FrameItem*>(any)) return frame;
        if (qgraphicsitem_cast<NodeItem*>(any)) return nullptr;
    }
    return nullptr;
}

// A frame that moves with all of its nodes keeps them. Another node belongs to where its middle was dropped: its own
// frame, whose box is the one of before, goes first.
std::map<NodeId, FrameId> GraphScene::dropped_into(const std::map<NodeId, QPointF>& moved) const {
    std::map<NodeId, FrameId> into;
    if (frames_.empty()) return into;
    std::map<FrameId, std::size_t> moving;
    for (const auto& [id, at] : moved)
        if (const FrameId frame = model_.frame_of(id); !frame.empty()) ++moving[frame];
    for (const auto& [id, at] : moved) {
        const FrameId own = model_.frame_of(id);
        const FrameItem* frame = own.empty() ? nullptr : frame_item(own);
        if (frame && moving[own] == frame->nodes().size()) continue;
        const QPointF middle = item(id)->card_in_scene().center();
        if (frame && frame->box().contains(middle)) continue;
        const FrameId other = frame_at(middle);
        const FrameItem* target = other.empty() ? nullptr : frame_item(other);
        // A frame that moved along did so out from under its old box.
        const FrameId joined = target && moving[other] == target->nodes().size() ? FrameId() : other;
        if (joined != own) into[id] = joined;
    }
    return into;
}

// --- moving by the keyboard ---

NodeId GraphScene::neighbour(const NodeId& from, Toward toward) const {
    const NodeItem* start = item(from);
    if (!start) return {};
    const QPointF here = start->card_in_scene().center();
    const bool across = toward == Toward::Left || toward == Toward::Right;
    NodeId best;
    qreal smallest = 0;
    const auto consider = [&](const NodeId& id, bool along_wire) {
        const NodeItem* node = item(id);
        if (!node || node == start) return;
        const QPointF way = node->card_in_scene().center() - here;
        const qreal ahead = toward == Toward::Left ? -way.x() : toward == Toward::Right ? way.x() : toward == Toward::Up ? -way.y() : way.y();
        const qreal aside = std::abs(across ? way.y() : way.x());
        if (!along_wire && (ahead <= 0 || aside > 2 * ahead)) return;
        const qreal far = along_wire ? aside : ahead + 2 * aside;
        if (best.empty() || far < smallest) best = id, smallest = far;
    };
    if (across)
        for (const LinkId& link : model_.links_of(from)) {
            if (toward == Toward::Left && link.to.node == from) consider(link.from.node, true);
            if (toward == Toward::Right && link.from.node == from) consider(link.to.node, true);
        }
    if (best.empty())
        for (const auto& [id, node] : nodes_) consider(id, false);
    return best;
}

NodeId GraphScene::nearest_to(QPointF point) const {
    NodeId best;
    qreal smallest = 0;
    for (const auto& [id, node] : nodes_) {
        const QPointF way = node->card_in_scene().center() - point;
        const qreal far = std::hypot(way.x(), way.y());
        if (best.empty() || far < smallest) best = id, smallest = far;
    }
    return best;
}

void GraphScene::nudge(QPointF step, Gesture gesture) {
    std::map<NodeId, QPointF> to;
    for (const NodeId& id : selected_nodes()) to[id] = model_.position(id) + step;
    if (!to.empty()) model_.move(to, gesture);
}

}  // namespace app
