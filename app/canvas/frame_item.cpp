#include "app/canvas/frame_item.h"

#include <QGraphicsSceneMouseEvent>
#include <QStyleOptionGraphicsItem>
#include <algorithm>
#include <utility>

#include "app/canvas/painter.h"
#include "app/canvas/scene.h"

namespace app {
namespace {

constexpr qreal room = 18;         // between cards and the frame around them
constexpr qreal grip_side = 16;
constexpr qreal grip_scale = 0.5;  // from which on it is drawn

}  // namespace

FrameItem::FrameItem(GraphScene& scene, FrameId id) : scene_(scene), id_(std::move(id)) {
    setAcceptedMouseButtons(Qt::LeftButton);
    setAcceptHoverEvents(true);
    setCursor(Qt::ArrowCursor);
    refresh();
}

void FrameItem::refresh() {
    const auto at = scene_.model().frames().find(id_);
    if (at == scene_.model().frames().end()) return;
    title_ = qt(at->second.title);
    colour_ = QColor::fromString(qt(at->second.colour));
    own_ = at->second.nodes;
    nodes_ = scene_.model().nodes_within(id_);
    around_ = at->second.around;
    if (!resizing_) least_ = {at->second.width, at->second.height};
    inner_.clear();
    for (const auto& [id, frame] : scene_.model().frames())
        if (frame.around == id_) inner_.push_back(id);
    setZValue(-1 - 1.0 / (1 + nodes::frame_depth(scene_.model().frames(), id_)));  // behind wires and nodes, and what is in it
    setToolTip(title_);
    refresh_selected();
    update();
}

QRectF FrameItem::around_content() const {
    QRectF cards;
    for (const NodeId& id : own_)
        if (const NodeItem* node = scene_.item(id)) cards |= node->card_in_scene();
    for (const FrameId& id : inner_)
        if (const FrameItem* frame = scene_.frame_item(id)) cards |= frame->box();
    return cards.isNull() ? QRectF() : cards.adjusted(-room, -room - canvas_style().title_height, room, room);
}

void FrameItem::fit() {
    QRectF box = around_content();
    if (!box.isNull()) box.setSize(box.size().expandedTo(least_));
    if (box == box_) return;
    prepareGeometryChange();
    box_ = box;
}

void FrameItem::refresh_selected() {
    const bool now = !nodes_.empty() && std::ranges::all_of(nodes_, [&](const NodeId& id) {
        const NodeItem* node = scene_.item(id);
        return node && node->isSelected();
    });
    if (now == selected_) return;
    selected_ = now;
    update();
}

QRectF FrameItem::title_box() const { return {box_.left(), box_.top(), box_.width(), canvas_style().title_height}; }

QRectF FrameItem::grip() const { return {box_.right() - grip_side, box_.bottom() - grip_side, grip_side, grip_side}; }

QSizeF FrameItem::beyond_content(QSizeF size) const {
    const QSizeF content = around_content().size();
    return {size.width() > content.width() ? size.width() : 0, size.height() > content.height() ? size.height() : 0};
}

QSizeF FrameItem::resized(QSizeF by) const {
    const QSizeF size = beyond_content(box_.size() + by);
    return {by.width() != 0 ? size.width() : least_.width(), by.height() != 0 ? size.height() : least_.height()};
}

QRectF FrameItem::boundingRect() const { return box_.adjusted(-2, -2, 2, 2); }

QPainterPath FrameItem::shape() const {
    QPainterPath path;
    path.addRect(title_box());
    path.addRect(grip());
    return path;
}

void FrameItem::paint(QPainter* painter, const QStyleOptionGraphicsItem*, QWidget*) {
    const qreal scale = QStyleOptionGraphicsItem::levelOfDetailFromTransform(painter->worldTransform());
    paint_frame(*painter, box_, title_box(), title_, colour_, selected_ && scene_.shows_selected(id_), scale, canvas_style());
    if (scale < grip_scale) return;
    QColor line = tone();
    line.setAlphaF(0.7f);
    painter->setPen(QPen(line, 1.2, Qt::SolidLine, Qt::RoundCap));
    for (const qreal far : {4.0, 8.0, 12.0}) painter->drawLine(box_.bottomRight() - QPointF(far + 1, 4), box_.bottomRight() - QPointF(4, far + 1));
}

void FrameItem::hoverMoveEvent(QGraphicsSceneHoverEvent* event) { setCursor(grip().contains(event->scenePos()) ? Qt::SizeFDiagCursor : Qt::ArrowCursor); }

void FrameItem::mousePressEvent(QGraphicsSceneMouseEvent* event) {
    grabbed_.clear();
    resizing_ = grip().contains(event->scenePos());
    if (resizing_) {
        grabbed_size_ = box_.size();
        return event->accept();
    }
    if (event->modifiers() & (Qt::ControlModifier | Qt::ShiftModifier)) {
        std::vector<NodeId> ids = scene_.selected_nodes();
        if (selected_)
            std::erase_if(ids, [&](const NodeId& id) { return std::ranges::find(nodes_, id) != nodes_.end(); });
        else
            ids.insert(ids.end(), nodes_.begin(), nodes_.end());
        scene_.select(ids);
    } else {
        if (!selected_) scene_.select(nodes_);
        scene_.grasp(id_);
    }
    for (const NodeId& id : scene_.selected_nodes()) grabbed_[id] = scene_.item(id)->pos();
    event->accept();
}

void FrameItem::mouseMoveEvent(QGraphicsSceneMouseEvent* event) {
    const QPointF way = event->scenePos() - event->buttonDownScenePos(Qt::LeftButton);
    if (resizing_) {
        least_ = grabbed_size_ + QSizeF(way.x(), way.y());
        return scene_.fit_frames();  // those around it as well
    }
    for (const auto& [id, from] : grabbed_)
        if (NodeItem* node = scene_.item(id)) node->setPos(from + way);
}

void FrameItem::mouseReleaseEvent(QGraphicsSceneMouseEvent*) {
    grabbed_.clear();
    if (!std::exchange(resizing_, false)) return;
    const auto at = scene_.model().frames().find(id_);
    if (at == scene_.model().frames().end() || least_ == QSizeF(at->second.width, at->second.height)) return;  // a click
    const QSizeF size = beyond_content(least_);
    refresh();  // as the model has it, should nothing change
    scene_.model().set_frame_size(id_, size);
    scene_.fit_frames();
}

}  // namespace app
