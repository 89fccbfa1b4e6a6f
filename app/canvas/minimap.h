// The whole graph in a corner of the canvas: shows where the view is, and takes it elsewhere by a click or a drag.
#pragma once

#include <QPixmap>
#include <QTimer>
#include <QWidget>

namespace app {

class GraphView;

// The nodes are drawn once after an edit, as a picture; moving the view only draws a rectangle over it.
class Minimap : public QWidget {
    Q_OBJECT

public:
    explicit Minimap(GraphView& view);

    // How often the nodes were drawn: a test's measure.
    int times_drawn() const { return times_drawn_; }
    QPointF to_scene(QPointF point) const;

protected:
    void paintEvent(QPaintEvent* event) override;
    void showEvent(QShowEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;

private:
    void changed();
    void draw();

    GraphView& view_;
    QTimer draw_later_;
    QPixmap picture_;
    QRectF area_;          // of the scene that it shows
    bool dirty_ = true;
    int times_drawn_ = 0;
};

}  // namespace app
