#include "app/panels/transform_tool.h"

#include <QLineF>
#include <QTransform>
#include <algorithm>
#include <cmath>

#include "app/canvas/style.h"
#include "app/panels/picture_view.h"
#include "app/panels/tool_params.h"

namespace app {
namespace {

// Widget pixels.
constexpr double reach = 9;
constexpr double handle = 8;       // side of a corner's, width of the knob
constexpr double knob_distance = 26;

constexpr double steps_of_turn = 15;      // degrees, with Shift

// Clockwise on the screen, where y runs down.
double degrees_of(QPointF from_centre) { return std::atan2(from_centre.y(), from_centre.x()) * 180 / M_PI; }

}  // namespace

TransformTool::TransformTool(GraphModel& model, NodeId node, nodes::TransformEdit edit, QObject* parent)
    : PictureTool(parent), model_(model), node_(std::move(node)), edit_(std::move(edit)) {}

std::optional<TransformTool::Place> TransformTool::place() const {
    if (!model_.contains(node_) || size_.isEmpty()) return {};
    const auto x = number_of(model_, node_, edit_.x), y = number_of(model_, node_, edit_.y), scale = number_of(model_, node_, edit_.scale),
               angle = number_of(model_, node_, edit_.angle);
    if (!x || !y || !scale || !angle) return {};
    return Place{{*x, *y}, *scale, *angle};
}

std::optional<QPolygonF> TransformTool::outline() const {
    const auto at = place();
    if (!at) return {};
    const QPointF middle = centre(*at);
    QTransform transform;
    transform.translate(middle.x(), middle.y()).rotate(at->angle).scale(at->scale, at->scale);
    const double w = size_.width() / 2.0, h = size_.height() / 2.0;
    return transform.map(QPolygonF({{-w, -h}, {w, -h}, {w, h}, {-w, h}}));
}

QPointF TransformTool::knob() const {
    const auto corners = outline();
    if (!corners) return {};
    const QPointF side = (corners->at(0) + corners->at(1)) / 2, down = corners->at(3) - corners->at(0);
    return side - down / std::max(1e-6, std::hypot(down.x(), down.y())) * knob_distance / zoom();
}

TransformTool::Part TransformTool::part_at(QPointF at) const {
    const auto corners = outline();
    if (!corners) return Part::None;
    const auto near = [&](QPointF point) { return QLineF(at, point).length() <= reach / zoom(); };
    if (near(knob())) return Part::Knob;
    if (std::ranges::any_of(*corners, near)) return Part::Corner;
    return corners->containsPoint(at, Qt::OddEvenFill) ? Part::Whole : Part::None;
}

bool TransformTool::press(QPointF at, const QMouseEvent& event) {
    if (event.button() != Qt::LeftButton) return false;
    dragged_ = part_at(at);
    if (dragged_ == Part::None) return false;
    start_ = *place();
    pressed_ = at;
    gesture_ = Gesture::next();
    return true;
}

void TransformTool::drag(QPointF at, const QMouseEvent& event) {
    const QPointF middle = centre(start_), from = pressed_ - middle, to = at - middle;
    QJsonObject values;
    const auto put = [&](const std::string& param, double value) { put_number(values, model_, node_, param, value); };
    switch (dragged_) {
        case Part::None: return;
        case Part::Whole:      // by whole pixels, which change no value
            put(edit_.x, std::round(start_.shift.x() + at.x() - pressed_.x()));
            put(edit_.y, std::round(start_.shift.y() + at.y() - pressed_.y()));
            break;
        case Part::Corner: put(edit_.scale, start_.scale * std::hypot(to.x(), to.y()) / std::max(1e-6, std::hypot(from.x(), from.y()))); break;
        case Part::Knob: {
            double angle = start_.angle + degrees_of(to) - degrees_of(from);
            angle = event.modifiers() & Qt::ShiftModifier ? std::round(angle / steps_of_turn) * steps_of_turn : std::round(angle * 10) / 10;
            put(edit_.angle, std::remainder(angle, 360));
            break;
        }
    }
    model_.set_params(node_, values, gesture_);
    emit changed();
}

void TransformTool::release(QPointF, const QMouseEvent&) { dragged_ = Part::None; }

void TransformTool::paint(QPainter& painter, const PictureView& view) const {
    const auto corners = outline();
    if (!corners) return;
    QPolygonF shown;
    for (const QPointF& corner : *corners) shown << view.to_widget(corner);
    const QPointF knob = view.to_widget(this->knob()), side = (shown[0] + shown[1]) / 2;
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setBrush(Qt::NoBrush);
    for (const QPen& pen : {QPen(QColor(0, 0, 0, 160), 3), QPen(canvas_style().accent, 1.5)}) {
        painter.setPen(pen);
        painter.drawPolygon(shown);
        painter.drawLine(side, knob);
    }
    painter.setPen(QPen(QColor(0, 0, 0, 160), 1));
    painter.setBrush(Qt::white);
    for (const QPointF& corner : shown) painter.drawRect(QRectF(corner.x() - handle / 2, corner.y() - handle / 2, handle, handle));
    painter.drawEllipse(knob, handle / 2, handle / 2);
}

Qt::CursorShape TransformTool::cursor(QPointF at) const {
    switch (part_at(at)) {
        case Part::Whole: return Qt::SizeAllCursor;
        case Part::Corner: return Qt::SizeFDiagCursor;
        case Part::Knob: return Qt::PointingHandCursor;
        case Part::None: break;
    }
    return Qt::ArrowCursor;
}

}  // namespace app
