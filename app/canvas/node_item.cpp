#include "app/canvas/node_item.h"

#include <QCursor>
#include <QGraphicsSceneHoverEvent>
#include <QStyleOptionGraphicsItem>
#include <cmath>

#include "app/canvas/painter.h"
#include "app/canvas/scene.h"

namespace app {
namespace {

constexpr qreal far_scale = 0.22;           // below it a card is a few pixels: rectangles will do
constexpr qreal largest_kept_scale = 1.6;  // above it few cards are in sight, and their pictures large

}  // namespace

NodeItem::NodeItem(GraphScene& scene, NodeId id) : scene_(scene), id_(std::move(id)) {
    setFlags(ItemIsMovable | ItemIsSelectable | ItemSendsGeometryChanges);
    setAcceptHoverEvents(true);
    setZValue(1);
    geometry_ = bare_geometry(canvas_style());
    tone_ = canvas_style().card_border;
    refresh();
    setPos(scene_.model().position(id_));
}

void NodeItem::set_id(const NodeId& id) {
    id_ = id;
    stale_ = false;  // the former id waits in vain
    refresh();
}

void NodeItem::refresh() {
    if (std::exchange(stale_, true)) return;
    scene_.lay_out_later(id_);
}

void NodeItem::refresh_status() { forget_picture(); }

void NodeItem::forget_picture() {
    picture_scale_ = 0;
    update();
}

void NodeItem::refresh_thumbnail() { refresh(); }

// Whoever asks for what a card shows makes it so: const to them.
void NodeItem::up_to_date() const {
    if (stale_) const_cast<NodeItem*>(this)->lay_out();
}

void NodeItem::lay_out() {
    if (!scene_.model().contains(id_)) return;  // in the middle of an edit: it is about to go
    stale_ = bare_ = false;
    look_ = scene_.model().look(id_);
    thumbnail_ = scene_.runs().thumbnail(id_);
    prepareGeometryChange();
    geometry_ = layout_node(look_, thumbnail_.size(), canvas_style());
    scene_.counts().layouts++;
    tone_ = node_tone(look_, canvas_style());
    forget_picture();
    scene_.update_wires(id_);
    scene_.fit_frames_later();
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
    scene_.counts().nodes_painted++;
    if (bare_ || scale < far_scale) {
        const bool failed = scene_.runs().status(id_).state == nodes::NodeState::Failed;
        return paint_node_far(*painter, geometry_, tone_, look_.mode, isSelected() ? canvas_style().selection : failed ? canvas_style().failed : QColor(), thumbnail_, canvas_style());
    }
    if (!paint_kept(*painter, scale)) paint_whole(*painter, scale);
}

// Text and round corners cost far more than copying a picture of them does. While the view zooms, a picture of another
// size will do; once it rests each is drawn as it should be.
bool NodeItem::paint_kept(QPainter& painter, qreal scale) {
    const bool changing = hovered_ || scene_.dragging() || scale > largest_kept_scale || painter.worldTransform().type() > QTransform::TxScale;
    if (changing) return false;
    const QRectF area = boundingRect();
    const QPointF corner = painter.worldTransform().map(area.topLeft());
    const qreal pixels = painter.device()->devicePixelRatioF();
    QPixmap picture;
    const bool kept = picture_scale_ > 0 && QPixmapCache::find(picture_, &picture) && picture.devicePixelRatio() == pixels;
    const qreal ratio = kept ? scale / picture_scale_ : 0;
    const bool same = std::abs(ratio - 1) < 1e-4;
    if (!same && !(scene_.hurrying() && ratio > 0.5 && ratio < 1.7)) {
        picture = QPixmap((area.size() * scale * pixels).toSize() + QSize(2, 2));
        picture.setDevicePixelRatio(pixels);
        picture.fill(Qt::transparent);
        QPainter into(&picture);
        into.scale(scale, scale);
        into.translate(-area.topLeft());
        paint_whole(into, scale);
        into.end();
        scene_.counts().pictures_drawn++;
        if (picture_.isValid()) QPixmapCache::remove(picture_);
        picture_ = QPixmapCache::insert(picture);
        picture_scale_ = scale;
    }
    const QTransform before = painter.worldTransform();
    painter.resetTransform();
    if (scale == picture_scale_ || same)
        painter.drawPixmap(corner.toPoint(), picture);
    else
        painter.drawPixmap(QRectF(corner, picture.deviceIndependentSize() * ratio), picture, QRectF(QPointF(), QSizeF(picture.size())));
    painter.setWorldTransform(before);
    return true;
}

qint64 NodeItem::held_bytes() const {
    qint64 bytes = 0;
    if (!scene_.runs().status(id_).stale)
        for (const OutputValue& value : scene_.runs().values(id_)) bytes += static_cast<qint64>(value.value.bytes());
    return bytes;
}

void NodeItem::paint_whole(QPainter& painter, qreal scale) {
    paint_node(painter,
               {.look = look_,
                .geometry = geometry_,
                .status = scene_.runs().status(id_),
                .problem = scene_.problem(id_),
                .thumbnail = thumbnail_,
                .bytes = scene_.showing_memory() ? held_bytes() : 0,
                .selected = isSelected(),
                .hovered = hovered_,
                .partners = scene_.drag_partners(),
                .drag_source = scene_.drag_source()},
               scale, canvas_style());
}

QVariant NodeItem::itemChange(GraphicsItemChange change, const QVariant& value) {
    if (change == ItemPositionChange && scene_.snapping_now()) {
        const qreal step = canvas_style().grid_step;
        const QPointF at = value.toPointF();
        return QPointF(std::round(at.x() / step) * step, std::round(at.y() / step) * step);
    }
    if (change == ItemPositionHasChanged) scene_.update_wires(id_);
    if (change == ItemSelectedHasChanged) {
        setZValue(value.toBool() ? 2 : 1);
        forget_picture();
    }
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
    if (const qint64 bytes = held_bytes(); bytes > 0) tip += dim(GraphScene::tr("Results hold %1").arg(size_text(bytes)));
    if (!status.message.isEmpty() && !status.stale)
        tip += row((status.socket.empty() ? QString() : qt(status.socket) + ": ") + status.message);
    if (const auto problem = scene_.problem(id_))
        tip += row((problem->socket.empty() ? QString() : qt(problem->socket) + ": ") + qt(problem->message));
    return tip;
}

}  // namespace app
