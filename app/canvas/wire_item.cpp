#include "app/canvas/wire_item.h"

#include <QPainterPathStroker>
#include <QStyleOptionGraphicsItem>

#include "app/canvas/painter.h"

namespace app {
namespace {

constexpr int line_steps = 24;
constexpr qreal largest_line_scale = 1.6;  // above it the corners of a line of so few points would show

}  // namespace

WireItem::WireItem(std::optional<LinkId> link) : link_(std::move(link)) {
    setFlag(ItemIsSelectable, link_.has_value());
    setAcceptHoverEvents(link_.has_value());
    setZValue(link_ ? 0 : 3);
    if (!link_) setAcceptedMouseButtons(Qt::NoButton);
}

void WireItem::set_ends(QPointF from, QPointF to) {
    prepareGeometryChange();
    path_ = wire_path(from, to);
    line_.clear();
    shape_.reset();
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
    if (!shape_) {
        QPainterPathStroker stroker;
        stroker.setWidth(2 * canvas_style().wire_reach);
        shape_ = stroker.createStroke(path_);
    }
    return *shape_;
}

void WireItem::paint(QPainter* painter, const QStyleOptionGraphicsItem*, QWidget*) {
    const qreal scale = QStyleOptionGraphicsItem::levelOfDetailFromTransform(painter->worldTransform());
    if (scale < largest_line_scale && link_) {
        if (line_.isEmpty() && path_.elementCount() == 4) {
            const QPointF a = path_.elementAt(0), b = path_.elementAt(1), c = path_.elementAt(2), d = path_.elementAt(3);
            for (int i = 0; i <= line_steps; ++i) {
                const qreal t = static_cast<qreal>(i) / line_steps, u = 1 - t;
                line_ << u * u * u * a + 3 * u * u * t * b + 3 * u * t * t * c + t * t * t * d;
            }
        }
        if (scale < text_scale && !hovered_) return paint_wire_far(*painter, line_, from_, isSelected(), scale, canvas_style());
        return paint_wire_line(*painter, line_, from_, to_, isSelected(), hovered_, canvas_style());
    }
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
