// Draws nodes, wires and the grid. No state, no items: what to draw comes in as plain values.
#pragma once

#include <QPainter>

#include "app/canvas/geometry.h"
#include "app/model/run_controller.h"

namespace app {

struct NodePaint {
    const NodeLook& look;
    const NodeGeometry& geometry;
    NodeStatus status;
    std::optional<nodes::Problem> problem;  // the worst one of validation
    QImage thumbnail;
    bool selected = false;
    bool hovered = false;
    const std::set<SocketId>* partners = nullptr;  // while a wire is dragged: all other sockets are dimmed
    SocketId drag_source;
};

// Below this scale text is left out: it could not be read and costs most of the time.
inline constexpr qreal text_scale = 0.4;

void paint_node(QPainter& painter, const NodePaint& node, qreal scale, const Style& style);
void paint_wire(QPainter& painter, const QPainterPath& path, const QColor& from, const QColor& to, bool selected,
                bool hovered, bool loose, const Style& style);
void paint_grid(QPainter& painter, const QRectF& exposed, qreal scale, const Style& style);
// Squares behind pictures with alpha; `cell` in painter units.
void paint_checkerboard(QPainter& painter, const QRectF& area, qreal cell);

}  // namespace app
