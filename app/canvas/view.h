// The window onto the scene: pans, zooms, frames, and opens the search.
#pragma once

#include <QElapsedTimer>
#include <QGraphicsView>

#include "app/canvas/connect_popup.h"
#include "app/canvas/find_bar.h"
#include "app/canvas/frame_title_edit.h"
#include "app/canvas/minimap.h"
#include "app/canvas/scene.h"
#include "app/canvas/search_popup.h"
#include "app/model/bookmarks.h"

namespace app {

class GraphView : public QGraphicsView {
    Q_OBJECT

public:
    explicit GraphView(GraphScene& scene, QWidget* parent = nullptr);

    GraphScene& graph() const { return scene_; }
    SearchPopup* search() const { return search_; }
    ConnectPopup* connector() const { return connect_; }
    FindBar& find_bar() const { return *find_; }
    Minimap& minimap() const { return *minimap_; }
    FrameTitleEdit* frame_title() const { return frame_title_; }

    void frame_all();
    void frame_selection();                      // all without a selection
    void zoom_by(qreal factor, QPointF anchor);  // the scene point under `anchor` (viewport) stays there
    qreal scale_factor() const { return transform().m11(); }
    // Where a pasted or keyboard-added node goes: under the mouse when it is here, else the middle.
    QPointF place_for_new() const;
    // Opens the search there, or at place_for_new().
    void open_search();
    void open_search_at(QPointF scene_point, const SocketId& from);
    // The same for a node that a wire is to lead through.
    void open_search_on(QPointF scene_point, const LinkId& wire);
    // Lists what the one selected node may be connected to.
    void open_connect();

    void look_at(QPointF scene_point);        // puts it into the middle
    void show_node(const NodeId& id);         // moves there where it is out of sight, and closer where it is too small to read
    // Selects the next node that way; the one nearest to the middle where none is selected.
    void step_focus(Toward toward);
    // Moves the selected nodes by a step of the grid; steps without a pause are one undo step.
    void nudge(Toward toward);
    // Makes the frames in hand wider, narrower, taller or shorter by a step of the grid, likewise.
    void resize_frames(Toward toward);
    void pan(Toward toward);
    Bookmark bookmark() const;                // where the view is
    bool go_to(const Bookmark& bookmark);     // false where its level is gone
    void place_overlays();                    // after one of them changed its size

signals:
    void node_chosen(const app::NodeId& id);  // added by the search
    void view_changed();                      // another part of the scene is shown
    void menu_wanted(QPoint global, QPointF at);

protected:
    bool focusNextPrevChild(bool) override { return false; }  // Tab opens the search
    void wheelEvent(QWheelEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void scrollContentsBy(int dx, int dy) override;
    void keyPressEvent(QKeyEvent* event) override;
    void keyReleaseEvent(QKeyEvent* event) override;
    void drawBackground(QPainter* painter, const QRectF& area) override;
    void drawForeground(QPainter* painter, const QRectF& area) override;

private:
    void frame(const QRectF& area);
    void pan_to(QPoint position);
    Gesture step_gesture(bool size);
    void set_panning(bool panning, QPoint position = {});

    GraphScene& scene_;
    SearchPopup* search_;
    ConnectPopup* connect_;
    FrameTitleEdit* frame_title_;
    FindBar* find_;
    Minimap* minimap_;
    std::optional<LinkId> wire_;  // that the searched node goes into
    QElapsedTimer nudged_;
    Gesture nudge_ = Gesture::none();
    std::vector<NodeId> nudged_nodes_;
    bool nudged_size_ = false;
    QTimer rest_;  // after zooming
    std::optional<QTransform> framed_;  // all, while cards were still laid out
    bool space_ = false;
    bool panning_ = false;
    QPoint pan_from_;
};

}  // namespace app
