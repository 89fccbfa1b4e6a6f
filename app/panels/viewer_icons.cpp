#include "app/panels/viewer_icons.h"

#include <QLinearGradient>
#include <QPainter>
#include <QPainterPath>

#include "app/canvas/style.h"

namespace app {
namespace {

// In a square of 20 x 20.
void draw(QPainter& p, ViewerGlyph glyph, const QColor& colour) {
    p.setPen(QPen(colour, 1.6, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    p.setBrush(Qt::NoBrush);
    switch (glyph) {
        case ViewerGlyph::Brush:
            p.drawLine(QPointF(16, 4), QPointF(9, 11));
            p.setBrush(colour);
            p.drawEllipse(QPointF(6.5, 13.5), 3, 3);
            break;
        case ViewerGlyph::Eraser:
            p.drawPolygon(QPolygonF({{4, 12}, {11, 5}, {16, 10}, {10, 16}, {7.5, 16}}));
            p.drawLine(QPointF(7.5, 8.5), QPointF(12.5, 13.5));
            break;
        case ViewerGlyph::Lasso: {
            QPainterPath path(QPointF(7, 12));
            path.cubicTo(1, 11, 3, 4, 10, 4);
            path.cubicTo(18, 4, 18, 12, 11, 12);
            path.cubicTo(8, 12, 6, 12, 6, 16);
            p.drawPath(path);
            break;
        }
        case ViewerGlyph::Rectangle: p.drawRect(QRectF(4, 5.5, 12, 9)); break;
        case ViewerGlyph::Ellipse: p.drawEllipse(QRectF(3.5, 5, 13, 10)); break;
        case ViewerGlyph::Gradient: {
            QLinearGradient ramp(4, 0, 16, 0);
            ramp.setColorAt(0, Qt::transparent);
            ramp.setColorAt(1, colour);
            p.setBrush(ramp);
            p.drawRoundedRect(QRectF(4, 4, 12, 12), 2, 2);
            break;
        }
        case ViewerGlyph::Fill:
            p.drawPolygon(QPolygonF({{9, 4}, {15, 10}, {9, 16}, {3, 10}}));
            p.setBrush(colour);
            p.drawPolygon(QPolygonF({{3, 10}, {15, 10}, {9, 16}}));
            p.drawEllipse(QPointF(17, 14), 1.2, 1.6);
            break;
        case ViewerGlyph::Clear:
            p.drawLine(QPointF(5, 6), QPointF(15, 6));
            p.drawLine(QPointF(8, 4), QPointF(12, 4));
            p.drawPolyline(QPolygonF({{6, 6}, {7, 16}, {13, 16}, {14, 6}}));
            break;
        case ViewerGlyph::Invert:
            p.drawEllipse(QPointF(10, 10), 6, 6);
            p.setBrush(colour);
            p.drawChord(QRectF(4, 4, 12, 12), 90 * 16, 180 * 16);
            break;
        case ViewerGlyph::Play:
            p.setBrush(colour);
            p.drawPolygon(QPolygonF({{7, 5}, {15, 10}, {7, 15}}));
            break;
        case ViewerGlyph::Pause:
            p.setBrush(colour);
            p.drawRect(QRectF(6, 5, 2.5, 10));
            p.drawRect(QRectF(11.5, 5, 2.5, 10));
            break;
        case ViewerGlyph::Adjust:
            for (const auto& [y, x] : {std::pair(5.5, 12.5), std::pair(10.0, 7.0), std::pair(14.5, 11.0)}) {
                p.drawLine(QPointF(4, y), QPointF(16, y));
                p.setBrush(canvas_style().panel);
                p.drawEllipse(QPointF(x, y), 1.8, 1.8);
            }
            break;
        case ViewerGlyph::Keep: {
            QFont font = p.font();
            font.setPixelSize(13);
            font.setBold(true);
            p.setFont(font);
            p.drawText(QRectF(0, 0, 20, 20), Qt::AlignCenter, QStringLiteral("A"));
            break;
        }
        case ViewerGlyph::Wipe:
            p.drawRect(QRectF(3.5, 5, 13, 10));
            p.fillRect(QRectF(3.5, 5, 6.5, 10), colour);
            p.drawLine(QPointF(10, 3), QPointF(10, 17));
            break;
        case ViewerGlyph::Difference:
            p.drawRect(QRectF(4, 4, 8.5, 8.5));
            p.drawRect(QRectF(7.5, 7.5, 8.5, 8.5));
            p.fillRect(QRectF(7.5, 7.5, 5, 5), colour);
            break;
        case ViewerGlyph::Overlay:
            p.drawRect(QRectF(3.5, 4.5, 13, 11));
            p.setBrush(colour);
            p.drawEllipse(QPointF(10, 10), 3.4, 3.4);
            break;
        case ViewerGlyph::AddPerson:
        case ViewerGlyph::RemovePerson:
            p.drawEllipse(QPointF(7.5, 6), 2.6, 2.6);
            p.drawArc(QRectF(2.5, 10, 10, 11), 0, 180 * 16);
            p.drawLine(QPointF(13.5, 8), QPointF(18, 8));
            if (glyph == ViewerGlyph::AddPerson) p.drawLine(QPointF(15.75, 5.75), QPointF(15.75, 10.25));
            break;
    }
}

}  // namespace

QIcon viewer_icon(ViewerGlyph glyph) {
    QIcon made;
    for (const bool enabled : {true, false})
        for (const int side : {20, 40}) {
            QPixmap pixmap(side, side);
            pixmap.fill(Qt::transparent);
            QPainter painter(&pixmap);
            painter.setRenderHint(QPainter::Antialiasing);
            painter.scale(side / 20.0, side / 20.0);
            draw(painter, glyph, enabled ? canvas_style().text : mix(canvas_style().text, canvas_style().window, 0.7));
            painter.end();
            made.addPixmap(pixmap, enabled ? QIcon::Normal : QIcon::Disabled);
        }
    return made;
}

}  // namespace app
