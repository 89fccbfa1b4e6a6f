#include "app/canvas/view.h"

#include <QKeyEvent>
#include <QPixmapCache>
#include <QScrollBar>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

#include "app/canvas/painter.h"
#include "gpu/base/error.h"

namespace app {
namespace {

constexpr qreal min_scale = 0.08, max_scale = 4;
constexpr qreal max_framing_scale = 1.25;  // a graph of one node does not fill the window
constexpr qreal frame_margin = 48;
constexpr int rest_ms = 160;              // after the last step of zooming everything is drawn in full
constexpr int picture_budget_kib = 96 * 1024;  // for the pictures of nodes that are kept
constexpr qreal new_node_gap = 70;      // as arranging leaves

}  // namespace

GraphView::GraphView(GraphScene& scene, QWidget* parent)
    : QGraphicsView(&scene, parent),
      scene_(scene),
      search_(new SearchPopup(scene.model(), this)),
      connect_(new ConnectPopup(scene, this)),
      frame_title_(new FrameTitleEdit(*this)),
      find_(new FindBar(*this)),
      minimap_(new Minimap(*this)) {
    setObjectName(QStringLiteral("canvas"));
    setAccessibleName(tr("Graph"));
    setRenderHints(QPainter::Antialiasing | QPainter::TextAntialiasing | QPainter::SmoothPixmapTransform);
    setOptimizationFlags(DontSavePainterState | DontAdjustForAntialiasing);
    QPixmapCache::setCacheLimit(std::max(QPixmapCache::cacheLimit(), picture_budget_kib));
    rest_.setSingleShot(true);
    rest_.setInterval(rest_ms);
    connect(&rest_, &QTimer::timeout, this, [this] {
        scene_.set_hurrying(false);
        viewport()->update();
    });
    setDragMode(RubberBandDrag);
    setRubberBandSelectionMode(Qt::IntersectsItemShape);
    setTransformationAnchor(NoAnchor);
    setResizeAnchor(AnchorViewCenter);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFrameShape(NoFrame);
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    connect(&scene_, &GraphScene::all_laid_out, this, [this] {
        // Sizes are known only now; where the view was moved meanwhile it stays.
        if (std::exchange(framed_, {}) == viewportTransform()) frame_all();
    });
    connect(&scene_, &GraphScene::search_wanted, this, &GraphView::open_search_at);
    connect(search_, &SearchPopup::closed, this, [this] { setFocus(); });
    connect(search_, &SearchPopup::chosen, this, [this](const std::string& type, QPointF at, const SocketId& from) {
        if (wire_) {
            const LinkId wire = *wire_;
            wire_.reset();
            const NodeId made = scene_.model().insert_node(type, at - QPointF(canvas_style().min_width / 2, canvas_style().title_height), wire);
            scene_.select({made});
            return emit node_chosen(made);
        }
        // A node that was dragged out of an input ends about where the wire was dropped.
        const QPointF shift =
            from.empty() ? QPointF()
                         : QPointF(from.output ? 0 : -canvas_style().min_width, -canvas_style().title_height - 16);
        const NodeId made = scene_.model().add_node(type, at + shift, from, scene_.frame_at(at));
        scene_.select({made});
        emit node_chosen(made);
    });
    connect(connect_, &PickPopup::closed, this, [this] { setFocus(); });
    connect(connect_, &ConnectPopup::connect_chosen, this, [this](const SocketId& own, const SocketId& other) {
        if (const QString problem = scene_.model().connect_sockets(own, other); !problem.isEmpty()) emit scene_.message(problem);
    });
    connect(connect_, &ConnectPopup::new_node_chosen, this, [this](const std::string& type, const SocketId& own) {
        const NodeItem* node = scene_.item(own.node);
        if (!node) return;
        const QRectF card = node->card_in_scene();
        const QPointF at(own.output ? card.right() + new_node_gap : card.left() - new_node_gap - canvas_style().min_width, card.top());
        const NodeId made = scene_.model().add_node(type, at, own, scene_.model().frame_of(own.node));
        scene_.select({made});
        show_node(made);
        emit node_chosen(made);
    });
    connect(&scene_, &GraphScene::frame_activated, frame_title_, &FrameTitleEdit::open);
    minimap_->hide();
}

// --- looking around ---

void GraphView::frame(const QRectF& area) {
    if (area.isEmpty() || viewport()->width() <= 0) {
        resetTransform();
        centerOn(area.center());
        emit view_changed();
        return;
    }
    const QSizeF room(std::max(50.0, viewport()->width() - 2 * frame_margin),
                      std::max(50.0, viewport()->height() - 2 * frame_margin));
    const qreal scale =
        std::clamp(std::min(room.width() / area.width(), room.height() / area.height()), min_scale, max_framing_scale);
    setTransform(QTransform::fromScale(scale, scale));
    centerOn(area.center());
    emit view_changed();
}

void GraphView::frame_all() {
    frame(scene_.content());
    if (scene_.laying_out()) framed_ = viewportTransform();
}

void GraphView::frame_selection() {
    QRectF area;
    for (const NodeId& id : scene_.selected_nodes()) area |= scene_.item(id)->card_in_scene();
    area.isNull() ? frame_all() : frame(area);
}

void GraphView::zoom_by(qreal factor, QPointF anchor) {
    const qreal scale = std::clamp(scale_factor() * factor, min_scale, max_scale);
    scene_.set_hurrying(true);
    rest_.start();
    const QPointF before = mapToScene(anchor.toPoint());
    setTransform(QTransform::fromScale(scale, scale));
    const QPointF shift = QPointF(mapFromScene(before)) - anchor;
    horizontalScrollBar()->setValue(horizontalScrollBar()->value() + qRound(shift.x()));
    verticalScrollBar()->setValue(verticalScrollBar()->value() + qRound(shift.y()));
    emit view_changed();
}

void GraphView::pan_to(QPoint position) {
    const QPoint step = position - std::exchange(pan_from_, position);
    horizontalScrollBar()->setValue(horizontalScrollBar()->value() - step.x());
    verticalScrollBar()->setValue(verticalScrollBar()->value() - step.y());
}

void GraphView::set_panning(bool panning, QPoint position) {
    panning_ = panning;
    pan_from_ = position;
    viewport()->setCursor(panning ? Qt::ClosedHandCursor : space_ ? Qt::OpenHandCursor : Qt::ArrowCursor);
}

// --- search ---

QPointF GraphView::place_for_new() const {
    const QPoint mouse = viewport()->mapFromGlobal(QCursor::pos());
    QPointF place =
        mapToScene(viewport()->rect().contains(mouse) && underMouse() ? mouse : viewport()->rect().center());
    const auto taken = [&](const NodeId& id) { return (scene_.model().position(id) - place).manhattanLength() < 8; };
    while (std::ranges::any_of(scene_.model().node_ids(), taken)) place += QPointF(30, 30);  // not one upon the other
    return place;
}

void GraphView::open_search() { open_search_at(place_for_new(), {}); }

void GraphView::open_search_on(QPointF scene_point, const LinkId& wire) {
    open_search_at(scene_point, wire.source());
    wire_ = wire;
}

void GraphView::open_search_at(QPointF scene_point, const SocketId& from) {
    wire_.reset();
    search_->open(mapFromScene(scene_point), scene_point, from);
}

// --- events ---

void GraphView::wheelEvent(QWheelEvent* event) {
    if (event->modifiers() & Qt::ShiftModifier) {  // sideways, as elsewhere
        horizontalScrollBar()->setValue(horizontalScrollBar()->value() - event->angleDelta().y() -
                                        event->angleDelta().x());
    } else {
        zoom_by(std::pow(1.0015, event->angleDelta().y()), event->position());
    }
    event->accept();
}

void GraphView::mousePressEvent(QMouseEvent* event) {
    if (event->button() == Qt::MiddleButton || (space_ && event->button() == Qt::LeftButton)) {
        set_panning(true, event->pos());
        event->accept();
        return;
    }
    QGraphicsView::mousePressEvent(event);
}

void GraphView::mouseMoveEvent(QMouseEvent* event) {
    if (panning_) return pan_to(event->pos());
    QGraphicsView::mouseMoveEvent(event);
}

void GraphView::mouseReleaseEvent(QMouseEvent* event) {
    if (panning_ && (event->button() == Qt::MiddleButton || event->button() == Qt::LeftButton)) {
        set_panning(false);
        event->accept();
        return;
    }
    QGraphicsView::mouseReleaseEvent(event);
}

void GraphView::keyPressEvent(QKeyEvent* event) {
    switch (event->key()) {
        case Qt::Key_Space:
            if (!event->isAutoRepeat()) {
                space_ = true;
                set_panning(panning_, pan_from_);
            }
            return;
        case Qt::Key_Escape:
            if (!scene_.dragging()) break;
            return scene_.cancel_drag();
        default: break;
    }
    QGraphicsView::keyPressEvent(event);
}

void GraphView::keyReleaseEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Space && !event->isAutoRepeat()) {
        space_ = false;
        set_panning(panning_, pan_from_);
        return;
    }
    QGraphicsView::keyReleaseEvent(event);
}

void GraphView::drawBackground(QPainter* painter, const QRectF& area) {
    paint_grid(*painter, area, scale_factor(), canvas_style());
}

void GraphView::drawForeground(QPainter* painter, const QRectF& area) {
    if (scale_factor() < text_scale && !scene_.frame_items().empty()) {
        painter->save();
        painter->resetTransform();
        for (const auto& [id, frame] : scene_.frame_items())
            if (frame->box().intersects(area)) paint_frame_label(*painter, mapFromScene(frame->box()).boundingRect(), frame->title(), canvas_style());
        painter->restore();
    }
    if (!scene_.empty()) return;
    painter->save();
    painter->resetTransform();
    QFont large = canvas_style().title_font;
    large.setPixelSize(16);
    painter->setFont(large);
    painter->setPen(canvas_style().dim_text);
    painter->drawText(viewport()->rect(), Qt::AlignCenter, tr("Press Tab or double-click to add a node"));
    painter->restore();
}

}  // namespace app
