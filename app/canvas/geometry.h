// Where the parts of a node are: pure arithmetic on what it looks like, in the node's own coordinates.
#pragma once

#include <QImage>
#include <QPainterPath>
#include <QRectF>
#include <map>

#include "app/canvas/style.h"
#include "app/model/graph_model.h"

namespace app {

struct SocketPlace {
    SocketId id;
    QPointF centre;
    QRectF label;
    bool right = false;  // outputs: label to the left of the circle
};

struct NodeGeometry {
    QRectF card;  // starts at (0, 0)
    QRectF title;
    QRectF text;       // of a note, empty without one
    QRectF thumbnail;  // empty without a picture
    std::vector<SocketPlace> sockets;
    std::vector<QRectF> params;

    const SocketPlace* place(const SocketId& id) const;
    // The socket within reach of a point, the nearest one; null when there is none.
    const SocketPlace* socket_at(QPointF point, qreal reach) const;
};

// A card of which nothing is known yet.
NodeGeometry bare_geometry(const Style& style);
NodeGeometry layout_node(const NodeLook& look, QSize thumbnail, const Style& style);

// A wire from an output at `from` to an input at `to`.
QPainterPath wire_path(QPointF from, QPointF to);

}  // namespace app
