#include "app/panels/icons.h"

#include <QPainter>
#include <QPainterPath>
#include <cmath>

#include "app/canvas/style.h"

namespace app {
namespace {

// An arrow that bends back: a part of a circle with a head at its end.
void draw_turn(QPainter& p, bool mirrored) {
    if (mirrored) {
        p.translate(20, 0);
        p.scale(-1, 1);
    }
    QPainterPath path(QPointF(4.5, 7.5));
    path.lineTo(12, 7.5);
    path.cubicTo(17, 7.5, 17, 15.5, 12, 15.5);
    path.lineTo(8, 15.5);
    p.drawPath(path);
    p.drawPolyline(QPolygonF({{8, 4}, {4.5, 7.5}, {8, 11}}));
}

// Draws in a square of 20 x 20 with pen and brush of the wanted colour.
void draw(QPainter& p, Glyph glyph, const QColor& colour) {
    p.setPen(QPen(colour, 1.7, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    p.setBrush(Qt::NoBrush);
    switch (glyph) {
        case Glyph::Run:
            p.setBrush(colour);
            p.drawPolygon(QPolygonF({{6, 4}, {16, 10}, {6, 16}}));
            break;
        case Glyph::Pause:
            p.setBrush(colour);
            p.drawRoundedRect(QRectF(5, 5, 3.5, 10), 1, 1);
            p.drawRoundedRect(QRectF(11.5, 5, 3.5, 10), 1, 1);
            break;
        case Glyph::Stop:
            p.setBrush(colour);
            p.drawRoundedRect(QRectF(5, 5, 10, 10), 1.5, 1.5);
            break;
        case Glyph::Undo: draw_turn(p, false); break;
        case Glyph::Redo: draw_turn(p, true); break;
        case Glyph::Add:
            p.drawLine(QPointF(10, 4), QPointF(10, 16));
            p.drawLine(QPointF(4, 10), QPointF(16, 10));
            break;
        case Glyph::Frame:
        case Glyph::Fit:
            for (const QPointF corner : {QPointF(4, 4), QPointF(16, 4), QPointF(16, 16), QPointF(4, 16)}) {
                const qreal dx = corner.x() < 10 ? 4 : -4, dy = corner.y() < 10 ? 4 : -4;
                p.drawPolyline(QPolygonF({corner + QPointF(dx, 0), corner, corner + QPointF(0, dy)}));
            }
            if (glyph == Glyph::Frame) p.drawRoundedRect(QRectF(8, 8, 4, 4), 1, 1);
            break;
        case Glyph::ActualSize:
            p.drawRoundedRect(QRectF(4, 4, 12, 12), 2, 2);
            p.drawLine(QPointF(8, 8), QPointF(8, 12));
            p.drawLine(QPointF(12, 8), QPointF(12, 12));
            break;
        case Glyph::Dice:
            p.drawRoundedRect(QRectF(4, 4, 12, 12), 2.5, 2.5);
            p.setBrush(colour);
            p.setPen(Qt::NoPen);
            for (const QPointF dot :
                 {QPointF(7.4, 7.4), QPointF(12.6, 12.6), QPointF(10, 10), QPointF(7.4, 12.6), QPointF(12.6, 7.4)})
                p.drawEllipse(dot, 1.15, 1.15);
            break;
        case Glyph::Reset:
            p.drawArc(QRectF(5, 5, 10, 10), 130 * 16, -290 * 16);
            p.drawPolyline(QPolygonF({{6.2, 2.8}, {6.6, 6.3}, {10, 5.8}}));
            break;
        case Glyph::Folder: {
            QPainterPath path(QPointF(3.5, 15.5));
            path.lineTo(3.5, 5);
            path.lineTo(8, 5);
            path.lineTo(9.5, 7);
            path.lineTo(16.5, 7);
            path.lineTo(16.5, 15.5);
            path.closeSubpath();
            p.drawPath(path);
            break;
        }
        case Glyph::Pin:
            p.drawEllipse(QPointF(10, 7.5), 3.5, 3.5);
            p.drawLine(QPointF(10, 11), QPointF(10, 17));
            break;
        case Glyph::Pipette:
            p.drawLine(QPointF(4.5, 15.5), QPointF(11, 9));
            p.drawLine(QPointF(9.5, 6.5), QPointF(13.5, 10.5));
            p.setBrush(colour);
            p.drawEllipse(QPointF(14, 6), 2.4, 2.4);
            break;
        case Glyph::Close:
            p.drawLine(QPointF(6, 6), QPointF(14, 14));
            p.drawLine(QPointF(14, 6), QPointF(6, 14));
            break;
    }
}

QPixmap pixmap(Glyph glyph, const QColor& colour, int side) {
    QPixmap made(side, side);
    made.fill(Qt::transparent);
    QPainter painter(&made);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.scale(side / 20.0, side / 20.0);
    draw(painter, glyph, colour);
    return made;
}

}  // namespace

QIcon icon(Glyph glyph, const QColor& colour) {
    const QColor normal = colour.isValid() ? colour : canvas_style().text;
    const QColor disabled = mix(normal, canvas_style().window, 0.7);
    QIcon made;
    for (const int side : {20, 40}) {
        made.addPixmap(pixmap(glyph, normal, side));
        made.addPixmap(pixmap(glyph, disabled, side), QIcon::Disabled);
    }
    return made;
}

}  // namespace app
