#include "app/canvas/painter.h"

#include <QFontMetricsF>
#include <QLinearGradient>
#include <QLocale>
#include <cmath>

namespace app {
namespace {

using nodes::NodeState;

void draw_text(QPainter& painter, const QRectF& area, const QString& text, Qt::Alignment align, const QFont& font,
               const QColor& colour, Qt::TextElideMode elide = Qt::ElideRight) {
    painter.setFont(font);
    painter.setPen(colour);
    painter.drawText(area, static_cast<int>(align | Qt::AlignVCenter) | Qt::TextSingleLine,
                     QFontMetricsF(font).elidedText(text, elide, area.width()));
}

// The upper end of a card: round above, straight below.
QPainterPath title_path(const QRectF& title, qreal corner) {
    QPainterPath path;
    path.moveTo(title.bottomLeft());
    path.lineTo(title.left(), title.top() + corner);
    path.quadTo(title.topLeft(), QPointF(title.left() + corner, title.top()));
    path.lineTo(title.right() - corner, title.top());
    path.quadTo(title.topRight(), QPointF(title.right(), title.top() + corner));
    path.lineTo(title.bottomRight());
    path.closeSubpath();
    return path;
}

QString time_text(double ms) {
    if (ms < 0) return {};
    if (ms < 1) return QStringLiteral("<1 ms");
    if (ms < 1000) return QStringLiteral("%1 ms").arg(qRound(ms));
    if (ms < 60000) return QStringLiteral("%1 s").arg(ms / 1000, 0, 'f', ms < 10000 ? 2 : 1);
    return QStringLiteral("%1:%2 min")
        .arg(static_cast<int>(ms / 60000))
        .arg(static_cast<int>(ms / 1000) % 60, 2, 10, QChar('0'));
}

// A small mark at the right end of the title: what became of the node, and how long it took.
void paint_badge(QPainter& painter, const NodePaint& node, const Style& style) {
    const QRectF title = node.geometry.title;
    const QPointF centre(title.right() - 14, title.center().y());
    painter.setPen(Qt::NoPen);
    if (node.look.mode != nodes::NodeMode::On)
        return draw_text(painter, {title.right() - 84, title.top(), 76, title.height()}, node.look.mode == nodes::NodeMode::Muted ? QObject::tr("muted") : QObject::tr("bypassed"),
                         Qt::AlignRight, style.small_font, style.title_text);
    const NodeState state = node.status.stale ? NodeState::Idle : node.status.state;
    const bool invalid = node.problem && node.problem->severity == nodes::Severity::Error;
    QString text;
    QColor colour = style.dim_text;
    switch (state) {
        case NodeState::Failed:
            painter.setBrush(style.failed);
            painter.drawEllipse(centre, 7, 7);
            painter.setPen(QPen(Qt::white, 1.8, Qt::SolidLine, Qt::RoundCap));
            painter.drawLine(centre + QPointF(0, -3.5), centre + QPointF(0, 0.8));
            painter.drawPoint(centre + QPointF(0, 3.6));
            return;
        case NodeState::Running:
            painter.setPen(QPen(mix(style.running, Qt::white, 0.25), 2, Qt::SolidLine, Qt::RoundCap));
            painter.setBrush(Qt::NoBrush);
            painter.drawArc(QRectF(centre.x() - 5, centre.y() - 5, 10, 10), 90 * 16, -270 * 16);
            if (node.status.total > 0) text = QStringLiteral("%1 %").arg(node.status.done * 100 / node.status.total);
            colour = mix(style.running, Qt::white, 0.45);
            break;
        case NodeState::Pending:
            painter.setPen(QPen(style.pending, 1.6));
            painter.setBrush(Qt::NoBrush);
            painter.drawEllipse(centre, 4, 4);
            break;
        case NodeState::Cached: {
            painter.setPen(QPen(style.cached, 1.4));
            painter.setBrush(Qt::NoBrush);
            for (const qreal dy : {-2.5, 0.5, 3.5})
                painter.drawArc(QRectF(centre.x() - 5, centre.y() + dy - 3, 10, 5), 180 * 16, 180 * 16);
            text = QObject::tr("cached");
            colour = mix(style.cached, style.title_text, 0.3);
            break;
        }
        case NodeState::Done:
        case NodeState::Partial:
            painter.setPen(QPen(state == NodeState::Done ? style.done : style.warning, 2, Qt::SolidLine, Qt::RoundCap,
                                Qt::RoundJoin));
            painter.setBrush(Qt::NoBrush);
            painter.drawPolyline(
                QPolygonF({centre + QPointF(-4.5, 0), centre + QPointF(-1.3, 3.4), centre + QPointF(4.8, -3.6)}));
            text = time_text(node.status.ms);
            colour = mix(style.dim_text, style.title_text, 0.35);
            break;
        case NodeState::Idle:
            if (!node.problem) return;
            painter.setBrush(invalid ? style.failed : style.warning);
            painter.drawPolygon(
                QPolygonF({centre + QPointF(0, -6.5), centre + QPointF(7, 5.5), centre + QPointF(-7, 5.5)}));
            painter.setPen(QPen(style.card, 1.6, Qt::SolidLine, Qt::RoundCap));
            painter.drawLine(centre + QPointF(0, -2.2), centre + QPointF(0, 1.2));
            painter.drawPoint(centre + QPointF(0, 3.7));
            return;
    }
    if (!text.isEmpty())
        draw_text(painter, {title.right() - 80, title.top(), 56, title.height()}, text, Qt::AlignRight,
                  style.small_font, colour);
}

// A tag on the lower edge of the card.
void paint_memory(QPainter& painter, const NodePaint& node, const Style& style) {
    const QString text = size_text(node.bytes);
    const qreal width = QFontMetricsF(style.small_font).horizontalAdvance(text) + 14;
    const QRectF tag(node.geometry.card.right() - width - 8, node.geometry.card.bottom() - 9, width, 17);
    painter.setPen(QPen(style.card_border, 1));
    painter.setBrush(mix(style.card, style.accent, 0.25));
    painter.drawRoundedRect(tag, 8, 8);
    draw_text(painter, tag, text, Qt::AlignHCenter, style.small_font, style.title_text);
}

QColor outline_of(const NodePaint& node, const Style& style) {
    if (node.selected) return style.selection;
    if (!node.status.stale) {
        if (node.status.state == NodeState::Failed) return style.failed;
        if (node.status.state == NodeState::Running) return style.running;
    }
    return node.hovered ? style.hover : style.card_border;
}

void paint_progress(QPainter& painter, const NodePaint& node, const Style& style) {
    if (node.status.state != NodeState::Running) return;
    const QRectF title = node.geometry.title;
    const QRectF track(title.left(), title.bottom() - 2.5, title.width(), 2.5);
    painter.fillRect(track, mix(style.card, style.running, 0.25));
    // An unknown length shows a third of the bar: work goes on, its end is not known.
    const qreal part =
        node.status.total > 0 ? qBound(0.0, double(node.status.done) / double(node.status.total), 1.0) : 0.33;
    painter.fillRect(QRectF(track.left(), track.top(), track.width() * part, track.height()), style.running);
}

void paint_sockets(QPainter& painter, const NodePaint& node, bool with_text, const Style& style) {
    const auto look_of = [&](const SocketPlace& place) -> const SocketLook& {
        const auto& list = place.right ? node.look.outputs : node.look.inputs;
        for (const SocketLook& socket : list)
            if (socket.id == place.id) return socket;
        return list.front();  // not reached: geometry and look are made together
    };
    for (const SocketPlace& place : node.geometry.sockets) {
        const SocketLook& socket = look_of(place);
        const bool dim = node.partners && !node.partners->contains(socket.id) && socket.id != node.drag_source;
        const QColor colour = dim ? mix(style.card, socket.colour, 0.2) : socket.colour;
        const bool at_fault =
            node.status.state == NodeState::Failed && !node.status.stale && node.status.socket == socket.id.name;
        const bool wanted = node.partners && node.partners->contains(socket.id);
        if (at_fault || wanted) {
            painter.setPen(Qt::NoPen);
            QColor halo = at_fault ? style.failed : colour;
            halo.setAlphaF(0.35f);
            painter.setBrush(halo);
            painter.drawEllipse(place.centre, style.socket_radius + 4, style.socket_radius + 4);
        }
        painter.setPen(QPen(style.canvas, 1.6));
        painter.setBrush(colour);
        painter.drawEllipse(place.centre, style.socket_radius, style.socket_radius);
        if (!socket.linked && !socket.required && !place.right) {  // optional and open: a ring
            painter.setPen(Qt::NoPen);
            painter.setBrush(style.card);
            painter.drawEllipse(place.centre, style.socket_radius - 2.6, style.socket_radius - 2.6);
        }
        if (with_text)
            draw_text(painter, place.label, socket.label, place.right ? Qt::AlignRight : Qt::AlignLeft,
                      style.label_font,
                      at_fault ? style.failed
                      : dim    ? mix(style.card, style.label_text, 0.35)
                               : style.label_text);
    }
}

void paint_params(QPainter& painter, const NodePaint& node, const Style& style) {
    for (std::size_t i = 0; i < node.geometry.params.size(); ++i) {
        const QRectF row = node.geometry.params[i];
        const ParamLook& param = node.look.params[i];
        const qreal label_width =
            std::min(QFontMetricsF(style.small_font).horizontalAdvance(param.label) + 1, row.width() * 0.6);
        draw_text(painter, {row.left(), row.top(), label_width, row.height()}, param.label, Qt::AlignLeft,
                  style.small_font, style.dim_text);
        draw_text(painter, row.adjusted(label_width + 10, 0, 0, 0), param.value, Qt::AlignRight, style.small_font,
                  style.value_text, Qt::ElideMiddle);
    }
}

}  // namespace

QString size_text(qint64 bytes) { return QLocale().formattedDataSize(bytes, 1); }

QColor node_tone(const NodeLook& look, const Style& style) {
    if (look.colour.isValid()) return style.tinted(look.colour);
    return look.known ? style.category(look.category) : mix(style.card, style.failed, 0.3);
}

void paint_node_far(QPainter& painter, const NodeGeometry& geometry, const QColor& tone, nodes::NodeMode mode, const QColor& outline, const QImage& thumbnail, const Style& style) {
    painter.setRenderHint(QPainter::Antialiasing, false);
    const qreal fade = mode == nodes::NodeMode::On ? 0 : mode == nodes::NodeMode::Muted ? 0.65 : 0.4;
    const auto shade = [&](const QColor& colour) { return fade > 0 ? mix(colour, style.canvas, fade) : colour; };
    const qreal rim = outline.isValid() ? 12 : 4;
    painter.fillRect(geometry.card.adjusted(-rim, -rim, rim, rim), shade(outline.isValid() ? outline : style.card_border));
    painter.fillRect(geometry.card, shade(style.card));
    painter.fillRect(geometry.title, shade(tone));
    if (geometry.thumbnail.isEmpty() || thumbnail.isNull()) return;
    painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
    painter.drawImage(geometry.thumbnail, thumbnail);
}

void paint_node(QPainter& painter, const NodePaint& node, qreal scale, const Style& style) {
    painter.setOpacity(node.look.mode == nodes::NodeMode::On ? 1 : node.look.mode == nodes::NodeMode::Muted ? 0.35 : 0.6);
    const NodeGeometry& g = node.geometry;
    const bool with_text = scale >= text_scale;
    if (node.look.bend) {
        painter.setRenderHint(QPainter::Antialiasing);
        const qreal corner = g.card.height() / 2;
        painter.setPen(QPen(outline_of(node, style), node.selected ? 1.8 : 1));
        painter.setBrush(node.look.colour.isValid() ? style.tinted(node.look.colour) : style.card);
        painter.drawRoundedRect(g.card, corner, corner);
        paint_sockets(painter, node, false, style);
        painter.setOpacity(1);
        return;
    }
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setRenderHint(QPainter::SmoothPixmapTransform);
    if (with_text) {  // a soft shadow from a few translucent layers
        painter.setPen(Qt::NoPen);
        painter.setBrush(style.shadow);
        for (const qreal grow : {1.0, 2.5, 4.5})
            painter.drawRoundedRect(g.card.adjusted(-grow, 2 - grow, grow, 3 + grow), style.corner + grow,
                                    style.corner + grow);
    }
    painter.setPen(Qt::NoPen);
    painter.setBrush(style.card);
    painter.drawRoundedRect(g.card, style.corner, style.corner);
    painter.setBrush(node_tone(node.look, style));
    painter.drawPath(title_path(g.title, style.corner));
    paint_progress(painter, node, style);

    const QColor outline = outline_of(node, style);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(outline, outline == style.card_border ? 1 : 1.8));
    painter.drawRoundedRect(g.card, style.corner, style.corner);

    if (with_text) {
        const bool busy = node.status.state != NodeState::Idle || node.problem || node.look.mode != nodes::NodeMode::On;
        draw_text(painter, g.title.adjusted(style.padding, 0, busy ? -64 : -style.padding, 0), node.look.title,
                  Qt::AlignLeft, style.title_font, style.title_text);
        paint_badge(painter, node, style);
        paint_params(painter, node, style);
        if (!g.text.isEmpty()) {
            painter.setFont(style.small_font);
            painter.setPen(style.label_text);
            painter.drawText(g.text, Qt::TextWordWrap, node.look.text);
        }
    }
    if (!g.thumbnail.isEmpty() && !node.thumbnail.isNull()) {
        if (node.thumbnail.hasAlphaChannel()) paint_checkerboard(painter, g.thumbnail, 6);
        const qreal opacity = painter.opacity();
        painter.setOpacity(node.status.stale ? 0.45 * opacity : opacity);
        painter.drawImage(g.thumbnail, node.thumbnail);
        painter.setOpacity(opacity);
    }
    paint_sockets(painter, node, with_text, style);
    if (with_text && node.bytes > 0) paint_memory(painter, node, style);
    painter.setOpacity(1);
}

void paint_frame(QPainter& painter, const QRectF& box, const QRectF& title_box, const QString& title, const QColor& colour, bool selected, qreal scale,
                 const Style& style) {
    const QColor tone = colour.isValid() ? colour : style.dim_text;
    const bool fine = scale >= text_scale;
    painter.setRenderHint(QPainter::Antialiasing, fine);
    painter.setPen(QPen(selected ? style.selection : mix(style.canvas, tone, 0.6), selected ? 1.8 : 1, Qt::SolidLine));
    painter.setBrush(mix(style.canvas, tone, 0.1));
    const qreal corner = fine ? style.corner + 2 : 0;
    corner > 0 ? painter.drawRoundedRect(box, corner, corner) : painter.drawRect(box);
    painter.setPen(Qt::NoPen);
    painter.setBrush(mix(style.canvas, tone, 0.3));
    const QRectF bar = title_box.adjusted(1, 1, -1, 0);
    corner > 0 ? painter.drawPath(title_path(bar, corner)) : painter.drawRect(bar);
    if (fine) draw_text(painter, title_box.adjusted(style.padding, 0, -style.padding, 0), title, Qt::AlignLeft, style.title_font, style.title_text);
}

void paint_frame_label(QPainter& painter, const QRectF& box, const QString& title, const Style& style) {
    if (box.width() < 30 || box.height() < 16 || title.isEmpty()) return;
    const QFontMetricsF metrics(style.title_font);
    const QString text = metrics.elidedText(title, Qt::ElideRight, box.width() - 8);
    const QRectF label(box.left(), box.top(), metrics.horizontalAdvance(text) + 8, 16);
    QColor back = style.canvas;
    back.setAlphaF(0.8f);
    painter.fillRect(label, back);
    painter.setFont(style.title_font);
    painter.setPen(style.title_text);
    painter.drawText(label, Qt::AlignCenter | Qt::TextSingleLine, text);
}

void paint_wire(QPainter& painter, const QPainterPath& path, const QColor& from, const QColor& to, bool selected,
                bool hovered, bool loose, const Style& style) {
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setBrush(Qt::NoBrush);
    const qreal width = style.wire_width + (hovered || selected ? 0.8 : 0);
    // A rim of the canvas's colour keeps crossing wires apart.
    painter.setPen(QPen(style.canvas, width + 2.4, Qt::SolidLine, Qt::RoundCap));
    painter.drawPath(path);
    const qreal fade = selected || hovered ? 0 : 0.18;
    if (!loose && (selected || from == to)) {
        painter.setPen(QPen(selected ? style.selection : mix(from, style.canvas, fade), width, Qt::SolidLine, Qt::RoundCap));
        painter.drawPath(path);
        return;
    }
    QLinearGradient gradient(path.elementAt(0), path.currentPosition());
    gradient.setColorAt(0, selected ? style.selection : mix(from, style.canvas, fade));
    gradient.setColorAt(1, selected ? style.selection : mix(to, style.canvas, fade));
    QPen pen(QBrush(gradient), width, loose ? Qt::DashLine : Qt::SolidLine, Qt::RoundCap);
    if (loose) pen.setDashPattern({4, 3});
    painter.setPen(pen);
    painter.drawPath(path);
}

void paint_wire_line(QPainter& painter, const QPolygonF& line, const QColor& from, const QColor& to, bool selected, bool hovered, const Style& style) {
    if (line.size() < 2) return;
    painter.setRenderHint(QPainter::Antialiasing);
    const qreal width = style.wire_width + (hovered || selected ? 0.8 : 0);
    const qreal fade = selected || hovered ? 0 : 0.18;
    QVector<QLineF> pieces;
    pieces.reserve(line.size());
    for (qsizetype i = 1; i < line.size(); ++i) pieces.append(QLineF(line[i - 1], line[i]));
    // Square ends close the gaps between pieces.
    painter.setPen(QPen(style.canvas, width + 2.4, Qt::SolidLine, Qt::SquareCap));
    painter.drawLines(pieces);
    const auto colour = [&](qreal t) { return selected ? style.selection : mix(mix(from, to, t), style.canvas, fade); };
    if (selected || from == to) {
        painter.setPen(QPen(colour(0), width, Qt::SolidLine, Qt::SquareCap));
        painter.drawLines(pieces);
        return;
    }
    for (qsizetype i = 0; i < pieces.size(); ++i) {
        painter.setPen(QPen(colour((static_cast<qreal>(i) + 0.5) / static_cast<qreal>(pieces.size())), width, Qt::SolidLine, Qt::SquareCap));
        painter.drawLine(pieces[i]);
    }
}

void paint_wire_far(QPainter& painter, const QPolygonF& line, const QColor& colour, bool selected, qreal scale, const Style& style) {
    painter.setRenderHint(QPainter::Antialiasing, false);
    // One pixel wide, whatever the scale: the quick way of the rasteriser.
    painter.setPen(QPen(selected ? style.selection : mix(colour, style.canvas, scale < 0.2 ? 0.4 : 0.2), 0));
    painter.drawPolyline(line);
}

void paint_grid(QPainter& painter, const QRectF& exposed, qreal scale, const Style& style) {
    painter.fillRect(exposed, style.canvas);
    const auto lines = [&](qreal step, const QColor& colour) {
        QVector<QLineF> all;
        for (qreal x = std::floor(exposed.left() / step) * step; x <= exposed.right(); x += step)
            all.append(QLineF(x, exposed.top(), x, exposed.bottom()));
        for (qreal y = std::floor(exposed.top() / step) * step; y <= exposed.bottom(); y += step)
            all.append(QLineF(exposed.left(), y, exposed.right(), y));
        painter.setPen(QPen(colour, 0));
        painter.drawLines(all);
    };
    painter.setRenderHint(QPainter::Antialiasing, false);
    if (scale >= 0.6) lines(style.grid_step, style.grid);
    qreal major = style.grid_step * style.grid_major_every;
    while (major * scale < 40) major *= 2;  // far out: fewer lines
    lines(major, style.grid_major);
}

void paint_checkerboard(QPainter& painter, const QRectF& area, qreal cell) {
    painter.save();
    painter.setClipRect(area, Qt::IntersectClip);
    painter.fillRect(area, QColor(0x9a, 0x9a, 0x9a));
    const int columns = static_cast<int>(std::ceil(area.width() / cell)),
              rows = static_cast<int>(std::ceil(area.height() / cell));
    for (int row = 0; row < rows; ++row)
        for (int column = row % 2; column < columns; column += 2)
            painter.fillRect(QRectF(area.left() + column * cell, area.top() + row * cell, cell, cell),
                             QColor(0x6c, 0x6c, 0x6c));
    painter.restore();
}

}  // namespace app
