// Handles on the picture for a node that moves, scales and turns it: an outline of where it comes to lie, corners that scale it, a knob that
// turns it. A drag is one undo step.
#pragma once

#include <QPolygonF>
#include <optional>

#include "app/model/graph_model.h"
#include "app/panels/picture_tool.h"
#include "nodes/core/direct_edit.h"

namespace app {

class TransformTool : public PictureTool {
    Q_OBJECT

public:
    TransformTool(GraphModel& model, NodeId node, nodes::TransformEdit edit, QObject* parent = nullptr);

    void set_size(QSize size) { size_ = size; }
    // Four corners in pixels of the picture, clockwise from what was its upper left; nothing where one of the parameters is computed by an
    // expression, or the size not known.
    std::optional<QPolygonF> outline() const;
    // Above the middle of the upper side.
    QPointF knob() const;

    bool press(QPointF at, const QMouseEvent& event) override;
    void drag(QPointF at, const QMouseEvent& event) override;
    void release(QPointF at, const QMouseEvent& event) override;
    void paint(QPainter& painter, const PictureView& view) const override;
    Qt::CursorShape cursor(QPointF at) const override;

private:
    enum class Part { None, Whole, Corner, Knob };
    struct Place {
        QPointF shift;          // of the centre, pixels
        double scale = 1;
        double angle = 0;       // degrees, clockwise
    };

    std::optional<Place> place() const;
    QPointF centre(const Place& place) const { return QPointF(size_.width(), size_.height()) / 2 + place.shift; }
    Part part_at(QPointF at) const;

    GraphModel& model_;
    NodeId node_;
    nodes::TransformEdit edit_;
    QSize size_;
    Part dragged_ = Part::None;
    Place start_;
    QPointF pressed_;
    Gesture gesture_;
};

}  // namespace app
