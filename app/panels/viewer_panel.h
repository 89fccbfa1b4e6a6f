// The picture of an output: of the selected node, or of one that was pinned.
#pragma once

#include <QLabel>
#include <QToolButton>
#include <QWidget>

#include "app/model/run_controller.h"
#include "app/panels/picture_view.h"

namespace app {

class ViewerPanel : public QWidget {
    Q_OBJECT

public:
    ViewerPanel(GraphModel& model, RunController& runs, QWidget* parent = nullptr);

    // Follows a node unless one is pinned. A node without pictures of its own (one that saves) shows what it reads.
    void show_node(const NodeId& id);
    PictureView* picture() const { return view_; }
    const SocketId& source() const { return source_; }
    void restyle();

signals:
    void pixel_hovered(const QString& text);

private:
    SocketId picture_output(const NodeId& id) const;  // empty: none
    void show_output(const SocketId& output);
    void refresh_title();

    GraphModel& model_;
    RunController& runs_;
    SocketId source_;
    NodeId followed_;  // the node that was asked for last, perhaps before it had a picture
    PictureView* view_;
    QLabel* title_;
    QToolButton* pin_;
    QToolButton* fit_;
    QToolButton* actual_;
};

}  // namespace app
