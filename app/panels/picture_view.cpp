#include "app/panels/picture_view.h"

#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>

#include "app/canvas/painter.h"
#include "app/canvas/style.h"

namespace app {
namespace {

constexpr double min_zoom = 1.0 / 64, max_zoom = 64;
constexpr double margin = 10;  // around a fitted picture
constexpr double checker = 8;

}  // namespace

PictureView::PictureView(QWidget* parent) : QWidget(parent) {
    setObjectName(QStringLiteral("picture"));
    setAccessibleName(tr("Picture"));
    setMouseTracking(true);
    setMinimumSize(120, 100);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
}

void PictureView::set_picture(const QImage& picture) {
    const bool same_size = picture.size() == picture_.size();
    picture_ = picture;
    if (!same_size || fitted_) fit();
    update();
}

void PictureView::fit() {
    fitted_ = true;
    if (!picture_.isNull()) {
        centre_ = QRectF(picture_.rect()).center();
        zoom_ =
            std::clamp(std::min((width() - 2 * margin) / picture_.width(), (height() - 2 * margin) / picture_.height()),
                       min_zoom, max_zoom);
        emit zoom_changed(zoom_);
    }
    update();
}

void PictureView::actual_size() {
    fitted_ = false;
    set_zoom(1 / devicePixelRatioF(), rect().center());
}

void PictureView::set_zoom(double zoom, QPointF anchor) {
    zoom = std::clamp(zoom, min_zoom, max_zoom);
    const QPointF from_centre = anchor - QRectF(rect()).center();
    centre_ += from_centre / zoom_ - from_centre / zoom;
    zoom_ = zoom;
    emit zoom_changed(zoom_);
    update();
}

QRectF PictureView::area() const {
    const QPointF corner = QRectF(rect()).center() - centre_ * zoom_;
    return {corner, QSizeF(picture_.size()) * zoom_};
}

void PictureView::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), canvas_style().canvas);
    if (picture_.isNull()) {
        painter.setPen(canvas_style().dim_text);
        painter.drawText(rect(), Qt::AlignCenter, tr("No picture yet"));
        return;
    }
    const QRectF area = this->area();
    if (picture_.hasAlphaChannel()) paint_checkerboard(painter, area.intersected(rect()), checker);
    painter.setRenderHint(QPainter::SmoothPixmapTransform, zoom_ < 2);  // close up, pixels are shown as squares
    painter.drawImage(area, picture_);
    painter.setPen(canvas_style().border);
    painter.drawRect(area.adjusted(-0.5, -0.5, 0.5, 0.5));
}

void PictureView::wheelEvent(QWheelEvent* event) {
    fitted_ = false;
    set_zoom(zoom_ * std::pow(1.002, event->angleDelta().y()), event->position());
    event->accept();
}

void PictureView::mousePressEvent(QMouseEvent* event) {
    grabbed_ = event->position();
    setCursor(Qt::ClosedHandCursor);
}

void PictureView::mouseMoveEvent(QMouseEvent* event) {
    if (event->buttons() & (Qt::LeftButton | Qt::MiddleButton)) {
        fitted_ = false;
        centre_ -= (event->position() - grabbed_) / zoom_;
        grabbed_ = event->position();
        update();
    }
    tell_pixel(event->position());
}

void PictureView::mouseReleaseEvent(QMouseEvent*) { unsetCursor(); }
void PictureView::mouseDoubleClickEvent(QMouseEvent*) { fit(); }

void PictureView::resizeEvent(QResizeEvent*) {
    if (fitted_) fit();
}

void PictureView::leaveEvent(QEvent*) { emit pixel_hovered({}); }

void PictureView::tell_pixel(QPointF at) {
    const QPointF inside = (at - area().topLeft()) / zoom_;
    const QPoint pixel(static_cast<int>(std::floor(inside.x())), static_cast<int>(std::floor(inside.y())));
    if (!picture_.rect().contains(pixel)) return emit pixel_hovered({});
    const QColor colour = picture_.pixelColor(pixel);
    QString text = tr("x %1  y %2    %3    R %4  G %5  B %6")
                       .arg(pixel.x())
                       .arg(pixel.y())
                       .arg(colour.name())
                       .arg(colour.red())
                       .arg(colour.green())
                       .arg(colour.blue());
    if (picture_.hasAlphaChannel()) text += tr("  A %1").arg(colour.alpha());
    emit pixel_hovered(text);
}

}  // namespace app
