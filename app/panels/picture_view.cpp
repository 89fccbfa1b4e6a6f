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
constexpr double line_reach = 6;  // how near a press has to be to the line of a wipe

}  // namespace

PictureView::PictureView(QWidget* parent) : QWidget(parent), hint_(tr("No picture yet")) {
    setObjectName(QStringLiteral("picture"));
    setAccessibleName(tr("Picture"));
    setMouseTracking(true);
    setFocusPolicy(Qt::ClickFocus);
    setMinimumSize(120, 100);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
}

void PictureView::set_picture(const QImage& picture) {
    const bool same_size = picture.size() == picture_.size();
    picture_ = picture;
    if (!same_size || fitted_) fit();
    update();
}

void PictureView::set_other(const QImage& other) {
    other_ = other;
    update();
}

void PictureView::set_wipe(double share) {
    wipe_ = std::clamp(share, 0.0, 1.0);
    update();
}

void PictureView::set_tool(PictureTool* tool) {
    if (tool_ == tool) return;
    if (tool_) tool_->disconnect(this);
    tool_ = tool;
    drag_ = Drag::None;
    unsetCursor();
    if (tool_) {
        tool_->set_zoom(zoom_);
        connect(tool_, &PictureTool::changed, this, qOverload<>(&QWidget::update));
    }
    update();
}

void PictureView::set_hint(const QString& hint) {
    hint_ = hint;
    update();
}

void PictureView::fit() {
    fitted_ = true;
    if (!picture_.isNull()) {
        centre_ = QRectF(picture_.rect()).center();
        zoom_ =
            std::clamp(std::min((width() - 2 * margin) / picture_.width(), (height() - 2 * margin) / picture_.height()),
                       min_zoom, max_zoom);
        if (tool_) tool_->set_zoom(zoom_);
        emit zoom_changed(zoom_);
    }
    update();
}

void PictureView::actual_size() {
    fitted_ = false;
    set_zoom(1 / devicePixelRatioF(), rect().center());
}

void PictureView::zoom_by(double factor, QPointF anchor) {
    fitted_ = false;
    set_zoom(zoom_ * factor, anchor);
}

void PictureView::set_zoom(double zoom, QPointF anchor) {
    zoom = std::clamp(zoom, min_zoom, max_zoom);
    const QPointF from_centre = anchor - QRectF(rect()).center();
    centre_ += from_centre / zoom_ - from_centre / zoom;
    zoom_ = zoom;
    if (tool_) tool_->set_zoom(zoom_);
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
        painter.drawText(rect().adjusted(12, 0, -12, 0), Qt::AlignCenter | Qt::TextWordWrap, hint_);
        return;
    }
    const QRectF area = this->area();
    if (picture_.hasAlphaChannel()) paint_checkerboard(painter, area.intersected(rect()), checker);
    painter.setRenderHint(QPainter::SmoothPixmapTransform, zoom_ < 2);  // close up, pixels are shown as squares
    painter.drawImage(area, picture_);
    if (!other_.isNull()) paint_wipe(painter, area);
    painter.setPen(canvas_style().border);
    painter.drawRect(area.adjusted(-0.5, -0.5, 0.5, 0.5));
    if (tool_) {
        painter.setRenderHint(QPainter::Antialiasing);
        tool_->paint(painter, *this);
    }
}

void PictureView::paint_wipe(QPainter& painter, const QRectF& area) const {
    const double line = area.left() + area.width() * wipe_;
    painter.save();
    painter.setClipRect(QRectF(area.left(), area.top(), line - area.left(), area.height()));
    if (other_.hasAlphaChannel()) {
        painter.fillRect(area, canvas_style().canvas);
        paint_checkerboard(painter, area.intersected(rect()), checker);
    }
    painter.drawImage(area, other_);
    painter.restore();
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    for (const auto& [colour, thickness] : {std::pair(QColor(0, 0, 0, 140), 3.0), std::pair(QColor(Qt::white), 1.2)}) {
        painter.setPen(QPen(colour, thickness));
        painter.drawLine(QPointF(line, area.top()), QPointF(line, area.bottom()));
    }
    painter.setPen(QPen(QColor(0, 0, 0, 140), 1));
    painter.setBrush(Qt::white);
    painter.drawEllipse(QPointF(line, std::clamp(area.center().y(), 12.0, height() - 12.0)), 6, 6);
    painter.setPen(Qt::white);
    QFont bold = font();
    bold.setBold(true);
    painter.setFont(bold);
    const double top = std::max(area.top(), 0.0);
    for (const auto& [text, x] : {std::pair(tr("A"), line - 24), std::pair(tr("B"), line + 8)}) {
        const QRectF label(x, top + 6, 16, 18);
        painter.setPen(Qt::NoPen);
        painter.setBrush(QColor(0, 0, 0, 130));
        painter.drawRoundedRect(label, 3, 3);
        painter.setPen(Qt::white);
        painter.drawText(label, Qt::AlignCenter, text);
    }
    painter.restore();
}

bool PictureView::on_line(QPointF at) const {
    const QRectF area = this->area();
    return !other_.isNull() && std::abs(at.x() - (area.left() + area.width() * wipe_)) <= line_reach && at.y() >= area.top() && at.y() <= area.bottom();
}

bool PictureView::event(QEvent* event) {
    // Letters that are shortcuts of the window belong to the tool while the picture has the focus.
    if (event->type() == QEvent::ShortcutOverride && tool_ && tool_->wants_key(*static_cast<QKeyEvent*>(event))) {
        event->accept();
        return true;
    }
    return QWidget::event(event);
}

void PictureView::wheelEvent(QWheelEvent* event) {
    zoom_by(std::pow(1.002, event->angleDelta().y()), event->position());
    event->accept();
}

void PictureView::mousePressEvent(QMouseEvent* event) {
    grabbed_ = event->position();
    const bool left = event->button() == Qt::LeftButton;
    if (left && on_line(grabbed_))
        drag_ = Drag::Wipe;
    else if (tool_ && event->button() != Qt::MiddleButton && !picture_.isNull() && tool_->press(to_picture(grabbed_), *event))
        drag_ = Drag::Tool;
    else if (left || event->button() == Qt::MiddleButton)
        drag_ = Drag::Pan;
    show_cursor(grabbed_);
}

void PictureView::mouseMoveEvent(QMouseEvent* event) {
    const QPointF at = event->position();
    switch (event->buttons() ? drag_ : Drag::None) {
        case Drag::None:
            if (tool_) tool_->hover(to_picture(at));
            break;
        case Drag::Pan:
            fitted_ = false;
            centre_ -= (at - grabbed_) / zoom_;
            grabbed_ = at;
            update();
            break;
        case Drag::Wipe: set_wipe((at.x() - area().left()) / std::max(area().width(), 1.0)); break;
        case Drag::Tool:
            if (tool_) tool_->drag(to_picture(at), *event);
            break;
    }
    show_cursor(at);
    tell_pixel(at);
}

void PictureView::mouseReleaseEvent(QMouseEvent* event) {
    if (std::exchange(drag_, Drag::None) == Drag::Tool && tool_) tool_->release(to_picture(event->position()), *event);
    show_cursor(event->position());
}

void PictureView::mouseDoubleClickEvent(QMouseEvent* event) {
    // Quick strokes with a tool are no double clicks.
    tool_ ? mousePressEvent(event) : fit();
}

void PictureView::keyPressEvent(QKeyEvent* event) {
    if (!tool_ || !tool_->key(*event)) QWidget::keyPressEvent(event);
}

void PictureView::show_cursor(QPointF at) {
    if (drag_ == Drag::Pan)
        setCursor(Qt::ClosedHandCursor);
    else if (drag_ == Drag::Wipe || on_line(at))
        setCursor(Qt::SplitHCursor);
    else if (tool_)
        setCursor(tool_->cursor(to_picture(at)));
    else
        unsetCursor();
}

void PictureView::resizeEvent(QResizeEvent*) {
    if (fitted_) fit();
}

void PictureView::leaveEvent(QEvent*) {
    if (tool_) tool_->leave();
    emit pixel_hovered({});
}

void PictureView::tell_pixel(QPointF at) {
    const QPointF inside = to_picture(at);
    const QPoint pixel(static_cast<int>(std::floor(inside.x())), static_cast<int>(std::floor(inside.y())));
    if (!picture_.rect().contains(pixel)) return emit pixel_hovered({});
    const QString text = describe_ ? describe_(pixel.x(), pixel.y()) : QString();
    emit pixel_hovered(text.isEmpty() ? tr("x %1  y %2    %3").arg(pixel.x()).arg(pixel.y()).arg(picture_.pixelColor(pixel).name()) : text);
}

}  // namespace app
