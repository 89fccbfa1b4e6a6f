#include "app/canvas/geometry.h"

#include <QFontMetricsF>
#include <algorithm>
#include <cmath>

namespace app {
namespace {

constexpr qreal label_gap = 6;    // between a socket's circle and its label
constexpr qreal column_gap = 20;  // between input and output labels
constexpr qreal badge_room = 54;  // at the right end of the title

qreal text_width(const QFont& font, const QString& text) {
    return std::ceil(QFontMetricsF(font).horizontalAdvance(text));
}

qreal width_of(const NodeLook& look, const Style& style) {
    qreal width = text_width(style.title_font, look.title) + 2 * style.padding + badge_room;
    const std::size_t rows = std::max(look.inputs.size(), look.outputs.size());
    for (std::size_t i = 0; i < rows; ++i) {
        qreal row = 2 * (style.socket_radius + label_gap);
        if (i < look.inputs.size()) row += text_width(style.label_font, look.inputs[i].label);
        if (i < look.outputs.size()) row += text_width(style.label_font, look.outputs[i].label) + column_gap;
        width = std::max(width, row);
    }
    for (const ParamLook& param : look.params)
        width =
            std::max(width, text_width(style.small_font, param.label + param.value) + column_gap + 2 * style.padding);
    if (!look.text.isEmpty()) return style.max_width;
    // Whole grid steps line cards up with one another.
    return std::clamp(std::ceil(width / 8) * 8, style.min_width, style.max_width);
}

}  // namespace

const SocketPlace* NodeGeometry::place(const SocketId& id) const {
    const auto at = std::ranges::find(sockets, id, &SocketPlace::id);
    return at == sockets.end() ? nullptr : &*at;
}

const SocketPlace* NodeGeometry::socket_at(QPointF point, qreal reach) const {
    const SocketPlace* best = nullptr;
    qreal best_distance = reach;
    for (const SocketPlace& socket : sockets) {
        const QPointF delta = socket.centre - point;
        const qreal distance = std::hypot(delta.x(), delta.y());
        if (distance <= best_distance) best = &socket, best_distance = distance;
    }
    return best;
}

NodeGeometry bare_geometry(const Style& style) {
    NodeGeometry g;
    g.title = {0, 0, style.min_width, style.title_height};
    g.card = {0, 0, style.min_width, style.title_height + 3 * style.row_height};
    return g;
}

NodeGeometry layout_node(const NodeLook& look, QSize thumbnail, const Style& style) {
    NodeGeometry g;
    if (look.bend) {
        g.card = g.title = {QPointF(), style.bend_size};
        const qreal middle = style.bend_size.height() / 2;
        for (const SocketLook& socket : look.inputs) g.sockets.push_back({socket.id, {0, middle}, {}, false});
        for (const SocketLook& socket : look.outputs) g.sockets.push_back({socket.id, {style.bend_size.width(), middle}, {}, true});
        return g;
    }
    const qreal width = width_of(look, style);
    g.title = {0, 0, width, style.title_height};
    qreal y = style.title_height + 6;

    const std::size_t rows = std::max(look.inputs.size(), look.outputs.size());
    const qreal label_inset = style.socket_radius + label_gap;
    for (std::size_t i = 0; i < rows; ++i, y += style.row_height) {
        const qreal middle = y + style.row_height / 2;
        const bool both = i < look.inputs.size() && i < look.outputs.size();
        const qreal room = both ? width / 2 - label_inset : width - 2 * label_inset;
        if (i < look.inputs.size())
            g.sockets.push_back({look.inputs[i].id, {0, middle}, {label_inset, y, room, style.row_height}, false});
        if (i < look.outputs.size())
            g.sockets.push_back(
                {look.outputs[i].id, {width, middle}, {width - label_inset - room, y, room, style.row_height}, true});
    }
    if (!look.params.empty()) y += rows ? 3 : 0;
    for (std::size_t i = 0; i < look.params.size(); ++i, y += style.param_height)
        g.params.push_back({style.padding, y, width - 2 * style.padding, style.param_height});
    if (!look.text.isEmpty()) {
        const qreal room = width - 2 * style.padding;
        const QRectF all(0, 0, room, style.note_height);
        const qreal height = QFontMetricsF(style.small_font).boundingRect(all, Qt::TextWordWrap, look.text).height();
        g.text = {style.padding, y, room, std::min(std::ceil(height), style.note_height)};
        y += g.text.height();
    }
    if (!thumbnail.isEmpty()) {
        y += 5;
        const qreal room = width - 2 * 8;
        QSizeF size = QSizeF(thumbnail).scaled(room, style.thumbnail_side, Qt::KeepAspectRatio);
        g.thumbnail = QRectF(8 + (room - size.width()) / 2, y, size.width(), size.height());
        y += size.height() + 2;
    }
    g.card = {0, 0, width, std::max(y + 6, style.title_height + 12)};
    return g;
}

QPainterPath wire_path(QPointF from, QPointF to) {
    const QPointF delta = to - from;
    // Backward wires need a longer pull to leave their sockets in the right direction.
    const qreal pull = delta.x() >= 0
                           ? std::clamp(delta.x() * 0.5, 24.0, 160.0) + std::min(std::abs(delta.y()) * 0.1, 30.0)
                           : std::clamp(-delta.x() * 0.6 + 50, 60.0, 260.0);
    QPainterPath path(from);
    path.cubicTo(from + QPointF(pull, 0), to - QPointF(pull, 0), to);
    return path;
}

}  // namespace app
