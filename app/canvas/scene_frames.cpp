// The frames of a scene: which items there are, which nodes a drop puts into which frame, and moving by the keyboard.
#include <algorithm>
#include <cmath>
#include <functional>

#include "app/canvas/scene.h"

namespace app {

void GraphScene::rebuild_frames() {
    inside_out_.clear();
    frames_.clear();
    grasped_.clear();
    sync_frames();
}

void GraphScene::sync_frames() {
    inside_out_.clear();
    std::erase_if(frames_, [this](const auto& entry) { return !model_.frames().contains(entry.first); });
    for (const auto& [id, frame] : model_.frames()) {
        std::unique_ptr<FrameItem>& item = frames_[id];
        if (!item) {
            item = std::make_unique<FrameItem>(*this, id);
            addItem(item.get());
        }
        item->refresh();
        inside_out_.push_back(item.get());
    }
    std::ranges::stable_sort(inside_out_, std::greater(), [](const FrameItem* frame) { return frame->zValue(); });
    fit_frames();
}

FrameItem* GraphScene::frame_item(const FrameId& id) const {
    const auto at = frames_.find(id);
    return at == frames_.end() ? nullptr : at->second.get();
}

void GraphScene::fit_frames() {
    fit_later_.stop();
    for (FrameItem* frame : inside_out_) frame->fit();
}

void GraphScene::fit_moving_frames() {
    for (FrameItem* frame : inside_out_)
        if (frame->selected()) frame->fit();
}

void GraphScene::fit_frames_later() {
    if (!frames_.empty() && !moving_) fit_later_.start();
}

std::set<FrameId> GraphScene::selected_frames() const {
    if (const FrameItem* one = frame_item(grasped_); one && one->selected()) return {grasped_};
    std::set<FrameId> found;
    for (const auto& [id, frame] : frames_) {
        const FrameItem* around = frame_item(frame->around());
        if (frame->selected() && !(around && around->selected())) found.insert(id);
    }
    return found;
}

void GraphScene::grasp(const FrameId& id) {
    if (id == grasped_) return;
    grasped_ = id;
    for (FrameItem* frame : inside_out_) frame->update();
}

void GraphScene::take_frame(const FrameId& id) {
    const FrameItem* frame = frame_item(id);
    if (!frame) return;
    if (!frame->selected()) select(frame->nodes());
    grasp(id);
}

bool GraphScene::shows_selected(const FrameId& id) const {
    return grasped_.empty() || id == grasped_ || !nodes::is_within(model_.frames(), grasped_, id);
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

const FrameItem* GraphScene::frame_grip_at(QPointF point) const {
    const FrameItem* frame = frame_title_at(point);
    return frame && frame->grip().contains(point) ? frame : nullptr;
}

// What moves as a whole: frames all of whose nodes moved, and the other nodes. Each belongs to where its middle was dropped:
// the frame that it was in, whose box is the one of before, goes before others that are not in that one.
GraphScene::Dropped GraphScene::dropped_into(const std::map<NodeId, QPointF>& moved) const {
    Dropped into;
    if (frames_.empty()) return into;
    std::set<NodeId> ids;
    for (const auto& [id, at] : moved) ids.insert(id);
    const std::set<FrameId> whole = nodes::whole_frames(model_.frames(), ids);
    const auto target = [&](QPointF middle, const FrameId& own) {
        FrameId best;
        qreal smallest = 0;
        const FrameItem* now = frame_item(own);
        const bool stays = now && now->box().contains(middle);
        for (const auto& [id, frame] : frames_) {
            // A frame that moved along did so out from under its old box.
            if (whole.contains(id) || !frame->box().contains(middle)) continue;
            if (stays && id != own && !nodes::is_within(model_.frames(), id, own)) continue;
            const qreal area = frame->box().width() * frame->box().height();
            if (best.empty() || area < smallest) best = id, smallest = area;
        }
        return best;
    };
    for (const FrameId& id : whole) {
        const FrameId own = model_.frames().at(id).around;
        if (whole.contains(own)) continue;
        QRectF cards;
        for (const NodeId& node : model_.nodes_within(id)) cards |= item(node)->card_in_scene();
        if (const FrameId frame = target(cards.center(), own); frame != own) into.frames[id] = frame;
    }
    for (const NodeId& id : ids) {
        const FrameId own = model_.frame_of(id);
        if (whole.contains(own)) continue;
        if (const FrameId frame = target(item(id)->card_in_scene().center(), own); frame != own) into.nodes[id] = frame;
    }
    return into;
}

// --- sizes by the keyboard ---

std::set<FrameId> GraphScene::frames_in_hand() const {
    std::set<FrameId> found = selected_frames();
    if (!found.empty()) return found;
    for (const NodeId& id : selected_nodes())
        if (const FrameId frame = model_.frame_of(id); !frame.empty()) found.insert(frame);
    return found;
}

void GraphScene::resize_frames(QSizeF by, Gesture gesture) {
    std::map<FrameId, QSizeF> sizes;
    for (const FrameId& id : frames_in_hand()) sizes[id] = frames_.at(id)->resized(by);
    model_.set_frame_sizes(sizes, gesture);
    fit_frames();
}

void GraphScene::fit_frames_to_content() {
    std::map<FrameId, QSizeF> sizes;
    for (const FrameId& id : frames_in_hand()) sizes[id] = {};
    model_.set_frame_sizes(sizes);
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
