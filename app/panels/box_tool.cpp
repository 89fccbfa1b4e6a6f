#include "app/panels/box_tool.h"

#include <algorithm>
#include <cmath>

#include "app/canvas/style.h"
#include "app/panels/picture_view.h"
#include "app/panels/tool_params.h"
#include "nodes/core/expression.h"

namespace app {
namespace {

constexpr double reach = 8;   // widget pixels around a side
constexpr double handle = 7;  // side of a handle

}  // namespace

BoxTool::BoxTool(GraphModel& model, NodeId node, Edit edit, QObject* parent)
    : PictureTool(parent), model_(model), node_(std::move(node)), edit_(std::move(edit)) {}

double BoxTool::number(const std::string& param, bool& known) const {
    const std::optional<double> value = number_of(model_, node_, param);
    known &= value.has_value();
    return value.value_or(0);
}

std::optional<QRectF> BoxTool::box() const {
    if (!model_.contains(node_) || size_.isEmpty()) return {};
    bool known = true;
    QRectF box;
    const auto shrink = [&] { box = {box.x() / cell_, box.y() / cell_, box.width() / cell_, box.height() / cell_}; };
    if (const auto* edit = std::get_if<nodes::BoxEdit>(&edit_)) {
        box = {number(edit->x, known), number(edit->y, known), number(edit->width, known), number(edit->height, known)};
        if (!edit->unit.empty() && model_.param(node_, edit->unit).toString() == qt(edit->share))
            box = {box.x() * size_.width(), box.y() * size_.height(), box.width() * size_.width(), box.height() * size_.height()};
        else
            shrink();
        if (!edit->anchor.empty() && model_.param(node_, edit->anchor).toString() == qt(edit->centred))
            box.translate(std::trunc((size_.width() - box.width()) / 2), std::trunc((size_.height() - box.height()) / 2));
    } else if (const auto* place = std::get_if<nodes::PlaceEdit>(&edit_)) {
        if (box_size_.isEmpty()) return {};
        box = {QPointF(number(place->x, known), number(place->y, known)), QSizeF(box_size_)};
        shrink();
    } else {
        const auto& margins = std::get<nodes::MarginEdit>(edit_);
        box.setCoords(-number(margins.left, known), -number(margins.top, known), size_.width() + number(margins.right, known),
                      size_.height() + number(margins.bottom, known));
    }
    return known ? std::optional(box) : std::nullopt;
}

void BoxTool::set_box(QRectF box, Gesture gesture) {
    QJsonObject values;
    const auto put = [&](const std::string& param, double value) { put_number(values, model_, node_, param, value); };
    if (const auto* edit = std::get_if<nodes::BoxEdit>(&edit_)) {
        const bool shares = !edit->unit.empty() && model_.param(node_, edit->unit).toString() == qt(edit->share);
        const double w = shares ? size_.width() : 1.0 / cell_, h = shares ? size_.height() : 1.0 / cell_;
        if (!shares) box = QRectF(QPointF(box.topLeft().toPoint()), QPointF(box.bottomRight().toPoint()));
        put(edit->width, box.width() / w);
        put(edit->height, box.height() / h);
        if (!edit->anchor.empty() && model_.param(node_, edit->anchor).toString() == qt(edit->centred))
            box.translate(-std::trunc((size_.width() - box.width()) / 2), -std::trunc((size_.height() - box.height()) / 2));
        put(edit->x, box.x() / w);
        put(edit->y, box.y() / h);
    } else if (const auto* place = std::get_if<nodes::PlaceEdit>(&edit_)) {
        put(place->x, std::round(box.x()) * cell_);
        put(place->y, std::round(box.y()) * cell_);
    } else {
        const auto& margins = std::get<nodes::MarginEdit>(edit_);
        put(margins.left, -box.left());
        put(margins.top, -box.top());
        put(margins.right, box.right() - size_.width());
        put(margins.bottom, box.bottom() - size_.height());
    }
    model_.set_params(node_, values, gesture);
    emit changed();
}

BoxTool::Sides BoxTool::sides_at(QPointF at) const {
    const auto box = this->box();
    if (!box) return {};
    const double near = reach / zoom();
    if (!box->adjusted(-near, -near, near, near).contains(at)) return {};
    if (only_moved()) return {true, true, true, true};
    // Of a box that is smaller than its handles the nearer side is taken.
    Sides sides{.left = std::abs(at.x() - box->left()) <= near, .top = std::abs(at.y() - box->top()) <= near,
                .right = std::abs(at.x() - box->right()) <= near, .bottom = std::abs(at.y() - box->bottom()) <= near};
    if (sides.left && sides.right) (at.x() < box->center().x() ? sides.right : sides.left) = false;
    if (sides.top && sides.bottom) (at.y() < box->center().y() ? sides.bottom : sides.top) = false;
    if (!sides.any() && !outwards()) return {true, true, true, true};
    return sides;
}

bool BoxTool::press(QPointF at, const QMouseEvent& event) {
    if (event.button() != Qt::LeftButton) return false;
    dragged_ = sides_at(at);
    if (!dragged_.any()) return false;
    start_ = *box();
    pressed_ = at;
    gesture_ = Gesture::next();
    return true;
}

void BoxTool::drag(QPointF at, const QMouseEvent&) {
    if (!dragged_.any()) return;
    const QPointF by = at - pressed_;
    QRectF box = start_;
    const bool whole = dragged_.left && dragged_.right && dragged_.top && dragged_.bottom;
    const QRectF picture({}, QSizeF(size_));
    if (whole) {
        box.translate(by);
        // What is laid over the picture may stand over its sides, by all but a pixel.
        const double over = only_moved() ? box.width() - 1 : 0, under = only_moved() ? box.height() - 1 : 0;
        box.moveLeft(std::clamp(box.left(), -over, std::max(-over, picture.width() - box.width() + over)));
        box.moveTop(std::clamp(box.top(), -under, std::max(-under, picture.height() - box.height() + under)));
        return set_box(box, gesture_);
    }
    // A box stays inside the picture and at least a pixel wide; margins stay outside of it.
    if (dragged_.left) box.setLeft(outwards() ? std::min(0.0, box.left() + by.x()) : std::clamp(box.left() + by.x(), 0.0, box.right() - 1));
    if (dragged_.top) box.setTop(outwards() ? std::min(0.0, box.top() + by.y()) : std::clamp(box.top() + by.y(), 0.0, box.bottom() - 1));
    if (dragged_.right)
        box.setRight(outwards() ? std::max(picture.right(), box.right() + by.x()) : std::clamp(box.right() + by.x(), box.left() + 1, std::max(box.left() + 1, picture.right())));
    if (dragged_.bottom)
        box.setBottom(outwards() ? std::max(picture.bottom(), box.bottom() + by.y()) : std::clamp(box.bottom() + by.y(), box.top() + 1, std::max(box.top() + 1, picture.bottom())));
    set_box(box, gesture_);
}

void BoxTool::release(QPointF, const QMouseEvent&) { dragged_ = {}; }

void BoxTool::paint(QPainter& painter, const PictureView& view) const {
    const auto box = this->box();
    if (!box) return;
    const QRectF shown(view.to_widget(box->topLeft()), view.to_widget(box->bottomRight()));
    // What is outside of the box, or inside of the new margins, is dimmed.
    QPainterPath shade;
    shade.setFillRule(Qt::OddEvenFill);
    shade.addRect(view.area());
    shade.addRect(shown);
    painter.setPen(Qt::NoPen);
    painter.setBrush(outwards() ? QColor(128, 128, 128, 110) : QColor(0, 0, 0, 110));
    painter.drawPath(shade);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(QColor(0, 0, 0, 160), 3));
    painter.drawRect(shown);
    painter.setPen(QPen(canvas_style().accent, 1.5));
    painter.drawRect(shown);
    painter.setPen(QPen(QColor(0, 0, 0, 160), 1));
    painter.setBrush(Qt::white);
    if (!only_moved())
        for (const double x : {shown.left(), shown.center().x(), shown.right()})
            for (const double y : {shown.top(), shown.center().y(), shown.bottom()})
                if (QPointF(x, y) != shown.center()) painter.drawRect(QRectF(x - handle / 2, y - handle / 2, handle, handle));
    painter.setPen(Qt::white);
    const QString text = QStringLiteral("%1 \u00d7 %2").arg(qRound(box->width() * cell_)).arg(qRound(box->height() * cell_));
    const QRectF label(shown.left() + 6, shown.top() + 6, painter.fontMetrics().horizontalAdvance(text) + 10, painter.fontMetrics().height() + 2);
    painter.fillRect(label, QColor(0, 0, 0, 130));
    painter.drawText(label, Qt::AlignCenter, text);
}

Qt::CursorShape BoxTool::cursor(QPointF at) const {
    const Sides sides = sides_at(at);
    if (!sides.any()) return Qt::ArrowCursor;
    if (sides.left && sides.right) return Qt::SizeAllCursor;
    if ((sides.left && sides.top) || (sides.right && sides.bottom)) return Qt::SizeFDiagCursor;
    if ((sides.right && sides.top) || (sides.left && sides.bottom)) return Qt::SizeBDiagCursor;
    return sides.left || sides.right ? Qt::SizeHorCursor : Qt::SizeVerCursor;
}

}  // namespace app
