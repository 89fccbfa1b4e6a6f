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
    qint64 bytes = 0;  // that its results hold, where that is to be shown
    bool selected = false;
    bool hovered = false;
    const std::set<SocketId>* partners = nullptr;  // while a wire is dragged: all other sockets are dimmed
    SocketId drag_source;
};

// Below this scale text is left out: it could not be read and costs most of the time.
inline constexpr qreal text_scale = 0.4;

QString size_text(qint64 bytes);  // "1.5 MiB"

// The colour of the title bar.
QColor node_tone(const NodeLook& look, const Style& style);
// In plain rectangles, for when nodes are a few pixels large; `outline` invalid: none.
void paint_node_far(QPainter& painter, const NodeGeometry& geometry, const QColor& tone, nodes::NodeMode mode, const QColor& outline, const QImage& thumbnail, const Style& style);
void paint_node(QPainter& painter, const NodePaint& node, qreal scale, const Style& style);
// `colour` invalid: that of frames without one. Below text_scale the title is left to paint_frame_label.
void paint_frame(QPainter& painter, const QRectF& box, const QRectF& title_box, const QString& title, const QColor& colour, bool selected, qreal scale,
                 const Style& style);
// In pixels of the window, for frames that are so small that their titles could not be read.
void paint_frame_label(QPainter& painter, const QRectF& box, const QString& title, const Style& style);
void paint_wire(QPainter& painter, const QPainterPath& path, const QColor& from, const QColor& to, bool selected,
                bool hovered, bool loose, const Style& style);
// The same from a few points of the path: thick curves cost the rasteriser ten times what straight pieces do.
void paint_wire_line(QPainter& painter, const QPolygonF& line, const QColor& from, const QColor& to, bool selected, bool hovered, const Style& style);
// Without a rim and in one colour; `line` is the path as a few points.
void paint_wire_far(QPainter& painter, const QPolygonF& line, const QColor& colour, bool selected, qreal scale, const Style& style);
void paint_grid(QPainter& painter, const QRectF& exposed, qreal scale, const Style& style);
// Squares behind pictures with alpha; `cell` in painter units.
void paint_checkerboard(QPainter& painter, const QRectF& area, qreal cell);

}  // namespace app
