#include "app/canvas/wire_item.h"

#include <QPainterPathStroker>

#include "app/canvas/painter.h"

namespace app {

WireItem::WireItem(std::optional<LinkId> link) : link_(std::move(link)) {
    setFlag(ItemIsSelectable, link_.has_value());
    setAcceptHoverEvents(link_.has_value());
    setZValue(link_ ? 0 : 3);
    if (!link_) setAcceptedMouseButtons(Qt::NoButton);
}

void WireItem::set_ends(QPointF from, QPointF to) {
    prepareGeometryChange();
    path_ = wire_path(from, to);
    update();
}

void WireItem::set_colours(const QColor& from, const QColor& to) {
    from_ = from;
    to_ = to;
    update();
}

QRectF WireItem::boundingRect() const {
    const qreal margin = canvas_style().wire_reach + 2;
    return path_.controlPointRect().adjusted(-margin, -margin, margin, margin);
}

QPainterPath WireItem::shape() const {
    QPainterPathStroker stroker;
    stroker.setWidth(2 * canvas_style().wire_reach);
    return stroker.createStroke(path_);
}

void WireItem::paint(QPainter* painter, const QStyleOptionGraphicsItem*, QWidget*) {
    paint_wire(*painter, path_, from_, to_, isSelected(), hovered_, !link_, canvas_style());
}

void WireItem::hoverEnterEvent(QGraphicsSceneHoverEvent*) {
    hovered_ = true;
    update();
}

void WireItem::hoverLeaveEvent(QGraphicsSceneHoverEvent*) {
    hovered_ = false;
    update();
}

}  // namespace app
