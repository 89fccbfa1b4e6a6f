// Moving about on the canvas: by the keyboard, to bookmarks, and where the pieces lie that float over it.
#include <QContextMenuEvent>
#include <QScrollBar>
#include <algorithm>

#include "app/canvas/view.h"

namespace app {
namespace {

constexpr qreal pan_step = 40;       // pixels
constexpr int nudge_pause_ms = 700;  // after which moving by the keyboard is another undo step
constexpr int minimap_width = 220, minimap_height = 150, find_width = 420, overlay_gap = 10;
constexpr qreal readable_scale = 0.45, comfortable_scale = 0.8;

QPointF direction(Toward toward) {
    switch (toward) {
        case Toward::Left: return {-1, 0};
        case Toward::Right: return {1, 0};
        case Toward::Up: return {0, -1};
        case Toward::Down: break;
    }
    return {0, 1};
}

}  // namespace

void GraphView::look_at(QPointF scene_point) {
    centerOn(scene_point);
    emit view_changed();
}

void GraphView::show_node(const NodeId& id) {
    const NodeItem* node = scene_.item(id);
    if (!node) return;
    if (scale_factor() < readable_scale) setTransform(QTransform::fromScale(comfortable_scale, comfortable_scale));
    const QRectF card = node->card_in_scene();
    if (!mapToScene(viewport()->rect()).boundingRect().contains(card)) centerOn(card.center());
    emit view_changed();
}

void GraphView::step_focus(Toward toward) {
    const auto ids = scene_.selected_nodes();
    const NodeId next = ids.empty() ? scene_.nearest_to(mapToScene(viewport()->rect().center())) : scene_.neighbour(ids.front(), toward);
    if (next.empty()) return;
    scene_.select({next});
    const NodeItem* node = scene_.item(next);
    ensureVisible(node->card_in_scene());
    emit view_changed();
}

// Of steps of one kind, on the same nodes and without a pause.
Gesture GraphView::step_gesture(bool size) {
    const auto ids = scene_.selected_nodes();
    if (!nudged_.isValid() || nudged_.elapsed() > nudge_pause_ms || ids != nudged_nodes_ || size != nudged_size_) nudge_ = Gesture::next();
    nudged_.start();
    nudged_nodes_ = ids;
    nudged_size_ = size;
    return nudge_;
}

void GraphView::nudge(Toward toward) { scene_.nudge(direction(toward) * canvas_style().grid_step, step_gesture(false)); }

void GraphView::resize_frames(Toward toward) {
    if (scene_.frames_in_hand().empty()) return emit scene_.message(tr("Select a frame, or a node in one, to change its size"));
    const QPointF by = direction(toward) * canvas_style().grid_step;
    scene_.resize_frames({by.x(), by.y()}, step_gesture(true));
}

void GraphView::pan(Toward toward) {
    const QPointF step = direction(toward) * pan_step;
    horizontalScrollBar()->setValue(horizontalScrollBar()->value() + qRound(step.x()));
    verticalScrollBar()->setValue(verticalScrollBar()->value() + qRound(step.y()));
}

void GraphView::open_connect() {
    const auto ids = scene_.selected_nodes();
    if (ids.size() != 1) return emit scene_.message(tr("Select one node to connect it"));
    const QRectF card = scene_.item(ids.front())->card_in_scene();
    connect_->open(mapFromScene(card.topRight()) + QPoint(8, 0), ids.front());
}

Bookmark GraphView::bookmark() const {
    Bookmark mark{.centre = mapToScene(viewport()->rect()).boundingRect().center(), .scale = scale_factor()};
    for (const Level& level : scene_.model().levels()) mark.uses.push_back(level.use);
    return mark;
}

bool GraphView::go_to(const Bookmark& mark) {
    if (!scene_.model().go_to(mark.uses)) return false;
    setTransform(QTransform::fromScale(mark.scale, mark.scale));
    centerOn(mark.centre);
    emit view_changed();
    return true;
}

// --- what floats over the canvas ---

void GraphView::place_overlays() {
    const QRect area = viewport()->geometry();
    minimap_->setGeometry(area.right() - minimap_width - overlay_gap, area.bottom() - minimap_height - overlay_gap, minimap_width, minimap_height);
    const int width = std::min(find_width, area.width() - 2 * overlay_gap);
    find_->setGeometry(area.right() - width - overlay_gap, area.top() + overlay_gap, width, find_->sizeHint().height());
}

void GraphView::resizeEvent(QResizeEvent* event) {
    QGraphicsView::resizeEvent(event);
    place_overlays();
    emit view_changed();
}

void GraphView::scrollContentsBy(int dx, int dy) {
    QGraphicsView::scrollContentsBy(dx, dy);
    emit view_changed();
}

void GraphView::contextMenuEvent(QContextMenuEvent* event) {
    if (scene_.dragging() || panning_) return;
    QPoint place = event->pos();
    if (event->reason() == QContextMenuEvent::Keyboard)
        if (const auto ids = scene_.selected_nodes(); !ids.empty()) place = mapFromScene(scene_.item(ids.front())->card_in_scene().center());
    emit menu_wanted(viewport()->mapToGlobal(place), mapToScene(place));
    event->accept();
}

}  // namespace app
