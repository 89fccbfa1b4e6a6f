// A frame on the canvas: as large as the cards of its nodes and the frames in it, with some room around them, or larger where somebody
// has pulled at its lower right corner; a double click there takes that back. Its title takes hold of all that is in it.
#pragma once

#include <QGraphicsItem>
#include <map>

#include "app/canvas/style.h"
#include "app/model/graph_model.h"

namespace app {

class GraphScene;

class FrameItem final : public QGraphicsItem {
public:
    enum { Type = UserType + 3 };

    FrameItem(GraphScene& scene, FrameId id);

    int type() const override { return Type; }
    const FrameId& id() const { return id_; }
    const QString& title() const { return title_; }
    QColor tone() const { return colour_.isValid() ? colour_ : canvas_style().dim_text; }
    const std::vector<NodeId>& nodes() const { return nodes_; }  // with those of frames in it
    const FrameId& around() const { return around_; }            // the frame that it is in; empty for none
    // Asks the model again.
    void refresh();
    // To the cards as they stand now, and to frames in it, which have to be fitted before.
    void fit();
    // Whether all of its nodes are selected; asked again when the selection changes.
    bool selected() const { return selected_; }
    void refresh_selected();

    const QRectF& box() const { return box_; }  // in the scene
    QRectF title_box() const;
    QRectF grip() const;  // the corner that resizes it
    // The size to keep for one that is larger by so much, or smaller: of a side that is no longer than its content 0, so that it follows
    // that again.
    QSizeF resized(QSizeF by) const;

    QRectF boundingRect() const override;
    QPainterPath shape() const override;  // the title and the grip: what is inside of a frame stays within reach
    void paint(QPainter* painter, const QStyleOptionGraphicsItem* option, QWidget* widget) override;

protected:
    void mousePressEvent(QGraphicsSceneMouseEvent* event) override;
    void mouseMoveEvent(QGraphicsSceneMouseEvent* event) override;
    void mouseReleaseEvent(QGraphicsSceneMouseEvent* event) override;
    void hoverMoveEvent(QGraphicsSceneHoverEvent* event) override;

private:
    QRectF around_content() const;
    QSizeF beyond_content(QSizeF size) const;

    GraphScene& scene_;
    FrameId id_;
    QString title_;
    QColor colour_;
    std::vector<NodeId> nodes_, own_;
    FrameId around_;
    std::vector<FrameId> inner_;
    QRectF box_;
    bool selected_ = false;
    QSizeF least_;          // by hand
    QSizeF grabbed_size_;   // when the corner was taken hold of
    bool resizing_ = false;
    std::map<NodeId, QPointF> grabbed_;  // where nodes were when they were taken hold of
};

}  // namespace app
