// The window onto the scene: pans, zooms, frames, and opens the search.
#pragma once

#include <QGraphicsView>

#include "app/canvas/scene.h"
#include "app/canvas/search_popup.h"

namespace app {

class GraphView : public QGraphicsView {
    Q_OBJECT

public:
    explicit GraphView(GraphScene& scene, QWidget* parent = nullptr);

    GraphScene& graph() const { return scene_; }
    SearchPopup* search() const { return search_; }

    void frame_all();
    void frame_selection();                      // all without a selection
    void zoom_by(qreal factor, QPointF anchor);  // the scene point under `anchor` (viewport) stays there
    qreal scale_factor() const { return transform().m11(); }
    // Where a pasted or keyboard-added node goes: under the mouse when it is here, else the middle.
    QPointF place_for_new() const;
    // Opens the search there, or at place_for_new().
    void open_search();
    void open_search_at(QPointF scene_point, const SocketId& from);

signals:
    void node_chosen(const app::NodeId& id);  // added by the search

protected:
    bool focusNextPrevChild(bool) override { return false; }  // Tab opens the search
    void wheelEvent(QWheelEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void keyReleaseEvent(QKeyEvent* event) override;
    void drawBackground(QPainter* painter, const QRectF& area) override;
    void drawForeground(QPainter* painter, const QRectF& area) override;

private:
    void frame(const QRectF& area);
    void pan_to(QPoint position);
    void set_panning(bool panning, QPoint position = {});

    GraphScene& scene_;
    SearchPopup* search_;
    bool space_ = false;
    bool panning_ = false;
    QPoint pan_from_;
};

}  // namespace app
