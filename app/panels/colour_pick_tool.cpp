#include "app/panels/colour_pick_tool.h"

#include <cmath>

#include "app/panels/picture_view.h"

namespace app {
namespace {

constexpr double cross = 9, swatch = 22, off = 14;  // widget pixels
constexpr int far = 10;                             // pixels that Shift and an arrow go

QPoint pixel_of(QPointF at) { return {static_cast<int>(std::floor(at.x())), static_cast<int>(std::floor(at.y()))}; }

}  // namespace

ColourPickTool::ColourPickTool(std::function<QColor(QPoint)> colour_at, QPoint start, QObject* parent)
    : PictureTool(parent), colour_at_(std::move(colour_at)), at_(start) {}

void ColourPickTool::take(QPointF at) {
    hover(at);
    if (const QColor colour = colour_at_(at_); colour.isValid()) emit picked(colour);
}

bool ColourPickTool::press(QPointF at, const QMouseEvent& event) {
    if (event.button() == Qt::LeftButton && colour_at_(pixel_of(at)).isValid()) {
        take(at);
        return true;
    }
    if (event.button() == Qt::RightButton) emit finished();
    return event.button() == Qt::RightButton;
}

void ColourPickTool::drag(QPointF at, const QMouseEvent&) { take(at); }
void ColourPickTool::release(QPointF, const QMouseEvent&) { emit finished(); }

void ColourPickTool::hover(QPointF at) {
    if (!colour_at_(pixel_of(at)).isValid()) return;
    at_ = pixel_of(at);
    emit changed();
}

bool ColourPickTool::wants_key(const QKeyEvent& event) const {
    switch (event.key()) {
        case Qt::Key_Left:
        case Qt::Key_Right:
        case Qt::Key_Up:
        case Qt::Key_Down:
        case Qt::Key_Return:
        case Qt::Key_Enter:
        case Qt::Key_Escape: return true;
        default: return false;
    }
}

bool ColourPickTool::key(const QKeyEvent& event) {
    if (!wants_key(event)) return false;
    const int step = event.modifiers() & Qt::ShiftModifier ? far : 1;
    QPoint way;
    switch (event.key()) {
        case Qt::Key_Left: way = {-step, 0}; break;
        case Qt::Key_Right: way = {step, 0}; break;
        case Qt::Key_Up: way = {0, -step}; break;
        case Qt::Key_Down: way = {0, step}; break;
        case Qt::Key_Escape: emit finished(); return true;
        default:
            take(QPointF(at_) + QPointF(0.5, 0.5));
            emit finished();
            return true;
    }
    hover(QPointF(at_ + way) + QPointF(0.5, 0.5));
    return true;
}

void ColourPickTool::paint(QPainter& painter, const PictureView& view) const {
    const QColor colour = colour_at_(at_);
    if (!colour.isValid()) return;
    const QPointF middle = view.to_widget(QPointF(at_) + QPointF(0.5, 0.5));
    for (const auto& [tone, width] : {std::pair(QColor(0, 0, 0, 160), 3.0), std::pair(QColor(Qt::white), 1.2)}) {
        painter.setPen(QPen(tone, width));
        painter.drawLine(middle - QPointF(cross, 0), middle - QPointF(3, 0));
        painter.drawLine(middle + QPointF(3, 0), middle + QPointF(cross, 0));
        painter.drawLine(middle - QPointF(0, cross), middle - QPointF(0, 3));
        painter.drawLine(middle + QPointF(0, 3), middle + QPointF(0, cross));
    }
    painter.setPen(QPen(Qt::white, 1.5));
    painter.setBrush(colour);
    painter.drawRoundedRect(QRectF(middle + QPointF(off, off), QSizeF(swatch, swatch)), 3, 3);
}

Qt::CursorShape ColourPickTool::cursor(QPointF) const { return Qt::CrossCursor; }

}  // namespace app
