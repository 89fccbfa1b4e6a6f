#include "app/canvas/node_item.h"

#include <QCursor>
#include <QGraphicsSceneHoverEvent>
#include <QStyleOptionGraphicsItem>

#include "app/canvas/painter.h"
#include "app/canvas/scene.h"

namespace app {

NodeItem::NodeItem(GraphScene& scene, NodeId id) : scene_(scene), id_(std::move(id)) {
    setFlags(ItemIsMovable | ItemIsSelectable | ItemSendsGeometryChanges);
    setAcceptHoverEvents(true);
    setZValue(1);
    refresh();
    setPos(scene_.model().position(id_));
}

void NodeItem::set_id(const NodeId& id) {
    id_ = id;
    refresh();
}

void NodeItem::refresh() {
    look_ = scene_.model().look(id_);
    thumbnail_ = scene_.runs().thumbnail(id_);
    lay_out();
}

void NodeItem::refresh_status() { update(); }

void NodeItem::refresh_thumbnail() {
    thumbnail_ = scene_.runs().thumbnail(id_);
    lay_out();
}

void NodeItem::lay_out() {
    prepareGeometryChange();
    geometry_ = layout_node(look_, thumbnail_.size(), canvas_style());
    update();
    scene_.update_wires(id_);
}

QPointF NodeItem::socket_centre(const SocketId& id) const {
    const SocketPlace* place = geometry_.place(id);
    return mapToScene(place ? place->centre : geometry_.title.center());
}

QRectF NodeItem::boundingRect() const {
    const qreal margin = canvas_style().socket_radius + 6;
    return geometry_.card.adjusted(-margin, -margin, margin, margin + 3);
}

QPainterPath NodeItem::shape() const {
    QPainterPath path;
    path.addRect(geometry_.card);
    for (const SocketPlace& socket : geometry_.sockets)
        path.addEllipse(socket.centre, canvas_style().socket_radius + 3, canvas_style().socket_radius + 3);
    path.setFillRule(Qt::WindingFill);
    return path;
}

void NodeItem::paint(QPainter* painter, const QStyleOptionGraphicsItem*, QWidget*) {
    const qreal scale = QStyleOptionGraphicsItem::levelOfDetailFromTransform(painter->worldTransform());
    paint_node(*painter,
               {.look = look_,
                .geometry = geometry_,
                .status = scene_.runs().status(id_),
                .problem = scene_.problem(id_),
                .thumbnail = thumbnail_,
                .selected = isSelected(),
                .hovered = hovered_,
                .partners = scene_.drag_partners(),
                .drag_source = scene_.drag_source()},
               scale, canvas_style());
}

QVariant NodeItem::itemChange(GraphicsItemChange change, const QVariant& value) {
    if (change == ItemPositionHasChanged) scene_.update_wires(id_);
    if (change == ItemSelectedHasChanged) setZValue(value.toBool() ? 2 : 1);
    return QGraphicsItem::itemChange(change, value);
}

void NodeItem::hoverEnterEvent(QGraphicsSceneHoverEvent* event) {
    hovered_ = true;
    hoverMoveEvent(event);
    update();
}

void NodeItem::hoverMoveEvent(QGraphicsSceneHoverEvent* event) {
    const bool at_socket = geometry_.socket_at(event->pos(), canvas_style().socket_reach);
    setCursor(at_socket ? Qt::CrossCursor : Qt::ArrowCursor);
    setToolTip(tip_at(event->pos()));
}

void NodeItem::hoverLeaveEvent(QGraphicsSceneHoverEvent*) {
    hovered_ = false;
    update();
}

QString NodeItem::tip_at(QPointF point) const {
    const auto row = [](const QString& text) {
        return QStringLiteral("<p style='margin:0'>%1</p>").arg(text.toHtmlEscaped());
    };
    const auto dim = [](const QString& text) {
        return QStringLiteral("<p style='margin:0; color:%1'>%2</p>")
            .arg(canvas_style().dim_text.name(), text.toHtmlEscaped());
    };
    if (const SocketPlace* place = geometry_.socket_at(point, canvas_style().socket_reach)) {
        for (const auto* list : {&look_.inputs, &look_.outputs})
            for (const SocketLook& socket : *list)
                if (socket.id == place->id) {
                    const QString summary = socket.id.output ? scene_.runs().value_summary(socket.id) : QString();
                    return QStringLiteral("<b>%1</b> %2")
                               .arg(socket.label.toHtmlEscaped(), socket.type.toHtmlEscaped()) +
                           row(socket.help) + (summary.isEmpty() ? QString() : dim(summary));
                }
    }
    QString tip =
        QStringLiteral("<b>%1</b> %2").arg(look_.title.toHtmlEscaped(), qt(id_).toHtmlEscaped()) + row(look_.help);
    const NodeStatus status = scene_.runs().status(id_);
    if (!status.message.isEmpty() && !status.stale)
        tip += row((status.socket.empty() ? QString() : qt(status.socket) + ": ") + status.message);
    if (const auto problem = scene_.problem(id_))
        tip += row((problem->socket.empty() ? QString() : qt(problem->socket) + ": ") + qt(problem->message));
    return tip;
}

}  // namespace app
