#include "app/panels/street_plan.h"

#include <QPainter>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>
#include <numbers>

#include "app/canvas/style.h"
#include "nodes/types/street_picture.h"

namespace app {
namespace {

using Choice = StreetModel::Choice;
using Kind = StreetModel::Kind;
using nodes::Lane;
using nodes::Point2;
using nodes::StreetBox;
using nodes::Vec3;

constexpr double reach = 8, handle_radius = 4.5, turn_distance = 20;  // widget pixels
constexpr double least_zoom = 0.4, most_zoom = 200;
constexpr double usual_range = 50;  // metres, as far as the map of the network reaches
constexpr double degree = std::numbers::pi / 180;

double distance(QPointF a, QPointF b) { return std::hypot(a.x() - b.x(), a.y() - b.y()); }

double distance_to_segment(QPointF p, QPointF a, QPointF b) {
    const QPointF along = b - a;
    const double square = QPointF::dotProduct(along, along);
    const double share = square > 0 ? std::clamp(QPointF::dotProduct(p - a, along) / square, 0.0, 1.0) : 0;
    return distance(p, a + along * share);
}

bool is_closed(const Lane& lane) { return lane.width == 0 && nodes::is_area(lane.lane_class); }

}  // namespace

StreetPlan::StreetPlan(StreetModel& street, QWidget* parent) : StreetView(street, parent) {
    setObjectName(QStringLiteral("street_plan"));
    setAccessibleName(tr("Street from above"));
    setWhatsThis(tr("Drag boxes, lanes, cameras and their handles; nothing moves the view, the wheel zooms. Keys: Page Up and Page Down choose, arrows move "
                    "(Shift: far), [ and ] turn, comma and full stop tilt a camera, Insert adds a camera, Delete removes, plus and minus zoom, Home shows everything."));
    setMouseTracking(true);
}

void StreetPlan::set_tool(Tool tool) {
    if (tool == tool_) return;
    tool_ = tool;
    draft_.clear();
    setCursor(tool == Tool::Select ? Qt::ArrowCursor : Qt::CrossCursor);
    update();
    emit tool_changed();
}

// --- places ---

QPointF StreetPlan::to_widget(const Point2& at) const { return QRectF(rect()).center() + QPointF(at.x - centre_.x, centre_.y - at.y) * zoom_; }

Point2 StreetPlan::to_street(QPointF at) const {
    const QPointF off = (at - QRectF(rect()).center()) / zoom_;
    return {centre_.x + off.x(), centre_.y - off.y()};
}

void StreetPlan::fit() {
    centre_ = {};
    zoom_ = std::clamp(std::min(width(), height()) / (2 * usual_range), least_zoom, most_zoom);
    update();
}

void StreetPlan::zoom_by(double factor, QPointF anchor) {
    const Point2 under = to_street(anchor);
    zoom_ = std::clamp(zoom_ * factor, least_zoom, most_zoom);
    const Point2 now = to_street(anchor);
    centre_ = {centre_.x + under.x - now.x, centre_.y + under.y - now.y};
    update();
}

QPolygonF StreetPlan::outline(const StreetBox& box) const {
    const auto corners = box.corners();
    QPolygonF shape;
    for (const int i : {0, 4, 7, 3}) shape.append(to_widget({corners[static_cast<std::size_t>(i)].x, corners[static_cast<std::size_t>(i)].y}));
    return shape;
}

std::optional<QPointF> StreetPlan::turn_handle() const {
    double yaw = 0, ahead = 0;
    Point2 at;
    if (const StreetBox* box = street_.chosen_box(); box && street_.edits_street()) {
        yaw = box->yaw, ahead = box->size.length / 2, at = {box->center.x, box->center.y};
    } else if (const nodes::Camera* camera = street_.chosen_camera(); camera && street_.edits_cameras()) {
        yaw = camera->yaw, ahead = 0, at = {camera->position.x, camera->position.y};
    } else {
        return {};
    }
    const double far = ahead * zoom_ + turn_distance + (street_.chosen_camera() ? turn_distance : 0);
    return to_widget(at) + QPointF(std::cos(yaw * degree), -std::sin(yaw * degree)) * far;
}

std::vector<QPointF> StreetPlan::side_handles() const {
    const StreetBox* box = street_.chosen_box();
    if (!box || !street_.edits_street()) return {};
    const QPointF ahead(std::cos(box->yaw * degree), -std::sin(box->yaw * degree)), left(ahead.y(), -ahead.x());
    const QPointF middle = to_widget({box->center.x, box->center.y});
    const QPointF along = ahead * (box->size.length / 2 * zoom_), across = left * (box->size.width / 2 * zoom_);
    return {middle + along, middle - along, middle + across, middle - across};
}

int StreetPlan::segment_at(const Lane& lane, QPointF at) const {
    const std::size_t count = lane.points.size();
    for (std::size_t i = 0; i + (is_closed(lane) ? 0 : 1) < count; ++i)
        if (distance_to_segment(at, to_widget(lane.points[i]), to_widget(lane.points[(i + 1) % count])) <= reach * 0.75) return static_cast<int>(i);
    return -1;
}

// What is chosen first, then cameras, boxes, lanes by their lines, areas.
Choice StreetPlan::place_at(QPointF at) const {
    if (const Lane* lane = street_.chosen_lane())
        for (std::size_t i = 0; i < lane->points.size(); ++i)
            if (distance(to_widget(lane->points[i]), at) <= reach) return {Kind::Lane, street_.chosen().index, static_cast<int>(i)};
    if (const StreetBox* box = street_.chosen_box(); box && outline(*box).containsPoint(at, Qt::OddEvenFill)) return street_.chosen();
    for (std::size_t i = 0; i < street_.cameras().size(); ++i) {
        const Vec3& p = street_.cameras()[i].position;
        if (distance(to_widget({p.x, p.y}), at) <= reach) return {Kind::Camera, static_cast<int>(i)};
    }
    const auto& boxes = street_.street().boxes;
    for (std::size_t i = boxes.size(); i-- > 0;) {
        const Vec3& p = boxes[i].center;
        if (outline(boxes[i]).containsPoint(at, Qt::OddEvenFill) || distance(to_widget({p.x, p.y}), at) <= reach * 0.75) return {Kind::Box, static_cast<int>(i)};
    }
    const auto& lanes = street_.street().lanes;
    for (std::size_t i = lanes.size(); i-- > 0;)
        if (segment_at(lanes[i], at) >= 0) return {Kind::Lane, static_cast<int>(i)};
    for (const std::size_t layer : {6u, 5u, 3u, 1u, 7u, 4u, 2u, 0u})
        for (std::size_t i = lanes.size(); i-- > 0;) {
            if (lanes[i].lane_class != layer || lanes[i].is_line()) continue;
            QPolygonF area;
            for (const Point2& p : lanes[i].outline(0)) area.append(to_widget(p));
            // A large area is the background that one drags to move the view: its lines choose it.
            const QRectF box = area.boundingRect();
            if (std::max(box.width(), box.height()) < 30 * zoom_ && area.containsPoint(at, Qt::OddEvenFill)) return {Kind::Lane, static_cast<int>(i)};
        }
    return {};
}

// --- edits ---

void StreetPlan::turn_to(QPointF at, bool coarse) {
    const Point2 to = to_street(at);
    const auto yaw_from = [&](const Vec3& from) {
        const double yaw = std::atan2(to.y - from.y, to.x - from.x) / degree;
        return coarse ? std::round(yaw / 15) * 15 : std::round(yaw);
    };
    if (const StreetBox* box = street_.chosen_box()) {
        street_.turn_chosen(yaw_from(box->center) - box->yaw, 0, gesture_);
    } else if (const nodes::Camera* camera = street_.chosen_camera()) {
        street_.turn_chosen(yaw_from(camera->position) - camera->yaw, 0, gesture_);
    }
}

// One side goes along, the opposite one stays.
void StreetPlan::move_side(QPointF at) {
    StreetBox box = *street_.chosen_box();
    const Point2 to = to_street(at);
    const double sign = side_ % 2 ? -1 : 1, turn = box.yaw * degree + (side_ >= 2 ? std::numbers::pi / 2 : 0);
    const Vec3 outward{sign * std::cos(turn), sign * std::sin(turn), 0};
    double& side = side_ >= 2 ? box.size.width : box.size.length;
    const double reached = dot(Vec3{to.x, to.y, 0} - Vec3{box.center.x, box.center.y, 0}, outward);
    const double now = std::clamp(std::round((reached + side / 2) * 20) / 20, 0.1, 100.0);
    box.center = box.center + outward * ((now - side) / 2);
    side = now;
    street_.set_box(street_.chosen().index, box, gesture_);
}

void StreetPlan::finish_lane() {
    const Lane lane{.lane_class = lane_class_, .points = std::exchange(draft_, {}), .width = lane_width_};
    if (lane.points.size() >= (is_closed(lane) ? 3u : 2u)) street_.add_lane(lane);
    update();
}

// --- events ---

void StreetPlan::wheelEvent(QWheelEvent* event) {
    zoom_by(std::pow(1.002, event->angleDelta().y()), event->position());
    event->accept();
}

void StreetPlan::mousePressEvent(QMouseEvent* event) {
    setFocus();
    grabbed_ = event->position();
    gesture_ = Gesture::next();
    drag_ = Drag::None;
    const Point2 at = to_street(grabbed_);
    if (event->button() == Qt::MiddleButton) {
        drag_ = Drag::Pan;
    } else if (event->button() == Qt::RightButton) {
        if (!draft_.empty()) {
            draft_.pop_back();
            return update();
        }
        const Choice choice = place_at(grabbed_);
        if (choice.kind == Kind::Lane && choice.point >= 0) {
            street_.choose(choice);
            street_.remove_chosen();
            street_.choose({Kind::Lane, choice.index});
        }
    } else if (event->button() != Qt::LeftButton) {
        return;
    } else if (tool_ == Tool::Lane) {
        if (street_.edits_street()) draft_.push_back(at);
        update();
    } else if (tool_ == Tool::Box) {
        street_.add_box(box_class_, at, gesture_);
        if (street_.chosen_box()) drag_ = Drag::Move, start_ = street_.chosen_box()->center;
    } else if (tool_ == Tool::Camera) {
        if (!street_.may_add_camera()) return;
        street_.add_camera(at, gesture_);
        drag_ = Drag::Aim;  // to where it looks
    } else {
        if (const auto handle = turn_handle(); handle && distance(*handle, grabbed_) <= reach) {
            drag_ = Drag::Turn;
            return;
        }
        const std::vector<QPointF> sides = side_handles();
        for (std::size_t i = 0; i < sides.size(); ++i)
            if (distance(sides[i], grabbed_) <= reach * 0.75) {
                drag_ = Drag::Side, side_ = static_cast<int>(i);
                return;
            }
        const Choice choice = place_at(grabbed_);
        street_.choose(choice);
        drag_ = choice.kind == Kind::None ? Drag::Pan : Drag::Move;
        if (const StreetBox* box = street_.chosen_box()) start_ = box->center;
        if (const nodes::Camera* camera = street_.chosen_camera()) start_ = camera->position;
        if (const Lane* lane = street_.chosen_lane()) {
            const Point2& p = lane->points[static_cast<std::size_t>(std::max(choice.point, 0))];
            start_ = {p.x, p.y, 0};
        }
    }
}

void StreetPlan::mouseMoveEvent(QMouseEvent* event) {
    const QPointF at = event->position();
    hover_ = to_street(at);
    if (!draft_.empty()) update();
    if (!event->buttons()) drag_ = Drag::None;
    switch (drag_) {
        case Drag::None: return;
        case Drag::Pan:
            centre_ = {centre_.x - (at.x() - grabbed_.x()) / zoom_, centre_.y + (at.y() - grabbed_.y()) / zoom_};
            grabbed_ = at;
            return update();
        case Drag::Aim:
            if (distance(at, grabbed_) < reach) return;  // a hand that shakes
            [[fallthrough]];
        case Drag::Turn: return turn_to(at, event->modifiers() & Qt::ShiftModifier);
        case Drag::Side: return move_side(at);
        case Drag::Move: {
            const Vec3 to = start_ + Vec3{(at.x() - grabbed_.x()) / zoom_, (grabbed_.y() - at.y()) / zoom_, 0};
            Vec3 now = to;
            if (const StreetBox* box = street_.chosen_box()) now = box->center;
            if (const nodes::Camera* camera = street_.chosen_camera()) now = camera->position;
            if (const Lane* lane = street_.chosen_lane()) {
                const Point2& p = lane->points[static_cast<std::size_t>(std::max(street_.chosen().point, 0))];
                now = {p.x, p.y, 0};
            }
            return street_.move_chosen({to.x - now.x, to.y - now.y, 0}, gesture_);
        }
    }
}

void StreetPlan::mouseReleaseEvent(QMouseEvent*) { drag_ = Drag::None; }

void StreetPlan::mouseDoubleClickEvent(QMouseEvent* event) {
    if (tool_ == Tool::Lane) return finish_lane();  // its last point came with the first click
    const Lane* lane = street_.chosen_lane();
    const int segment = lane && event->button() == Qt::LeftButton && street_.edits_street() ? segment_at(*lane, event->position()) : -1;
    if (tool_ != Tool::Select || segment < 0) return mousePressEvent(event);
    Lane longer = *lane;
    longer.points.insert(longer.points.begin() + segment + 1, to_street(event->position()));
    const int index = street_.chosen().index;
    street_.set_lane(index, longer);
    street_.choose({Kind::Lane, index, segment + 1});
}

void StreetPlan::keyPressEvent(QKeyEvent* event) {
    const bool plain = StreetModel::wants_key(*event);
    const int key = plain ? event->key() : 0;
    if (key == Qt::Key_Home) return fit();
    if (key == Qt::Key_Plus || key == Qt::Key_Equal) return zoom_by(1.25, rect().center());
    if (key == Qt::Key_Minus) return zoom_by(0.8, rect().center());
    if ((key == Qt::Key_Return || key == Qt::Key_Enter) && !draft_.empty()) return finish_lane();
    if (key == Qt::Key_Backspace && !draft_.empty()) {
        draft_.pop_back();
        return update();
    }
    if (key == Qt::Key_Escape && tool_ != Tool::Select) {
        if (draft_.empty()) return set_tool(Tool::Select);
        draft_.clear();
        return update();
    }
    if (!plain || !street_.key(*event)) QWidget::keyPressEvent(event);
}

// --- painting ---

void StreetPlan::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), canvas_style().canvas);
    painter.setRenderHint(QPainter::Antialiasing);
    paint_lanes(painter);
    paint_grid(painter);
    paint_cameras(painter);
    paint_boxes(painter);
    paint_handles(painter);
    if (hasFocus()) {
        painter.setPen(canvas_style().accent);
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5));
    }
    if (street_.problem().isEmpty()) return;
    painter.setPen(canvas_style().failed);
    painter.drawText(rect().adjusted(12, 12, -12, -12), Qt::AlignTop | Qt::AlignLeft | Qt::TextWordWrap, street_.problem());
}

void StreetPlan::paint_grid(QPainter& painter) const {
    const Style& style = canvas_style();
    double step = 1;
    for (const double next : {5.0, 10.0, 50.0, 100.0})
        if (step * zoom_ < 26) step = next;
    const Point2 low = to_street({0, double(height())}), high = to_street({double(width()), 0});
    QColor line = style.dim_text;
    for (double x = std::ceil(low.x / step) * step; x <= high.x; x += step) {
        line.setAlphaF(x == 0 ? 0.6f : 0.22f);
        painter.setPen(QPen(line, 1));
        const double at = to_widget({x, 0}).x();
        painter.drawLine(QPointF(at, 0), QPointF(at, height()));
        painter.setPen(style.dim_text);
        painter.drawText(QPointF(at + 3, height() - 4), QString::number(x));
    }
    for (double y = std::ceil(low.y / step) * step; y <= high.y; y += step) {
        line.setAlphaF(y == 0 ? 0.6f : 0.22f);
        painter.setPen(QPen(line, 1));
        const double at = to_widget({0, y}).y();
        painter.drawLine(QPointF(0, at), QPointF(width(), at));
        painter.setPen(style.dim_text);
        painter.drawText(QPointF(3, at - 3), tr("%1 m").arg(y));
    }
}

void StreetPlan::paint_lanes(QPainter& painter) const {
    const auto& lanes = street_.street().lanes;
    for (const std::size_t layer : nodes::lane_order)
        for (std::size_t i = 0; i < lanes.size(); ++i) {
            const Lane& lane = lanes[i];
            if (lane.lane_class != layer) continue;
            const bool chosen = street_.chosen().kind == Kind::Lane && street_.chosen().index == static_cast<int>(i);
            QColor colour = nodes::lane_colour(layer);
            QPolygonF shape;
            for (const Point2& p : lane.is_line() ? lane.points : lane.outline(0)) shape.append(to_widget(p));
            painter.setBrush(Qt::NoBrush);
            if (lane.is_line()) {
                painter.setPen(QPen(chosen ? canvas_style().accent : colour, chosen ? 3 : 2));
                painter.drawPolyline(shape);
                continue;
            }
            colour.setAlphaF(0.8f);
            painter.setPen(QPen(chosen ? canvas_style().accent : colour.darker(115), chosen ? 2 : 1));
            painter.setBrush(colour);
            painter.drawPolygon(shape);
        }
}

void StreetPlan::paint_cameras(QPainter& painter) const {
    const Style& style = canvas_style();
    for (std::size_t i = 0; i < street_.cameras().size(); ++i) {
        const nodes::Camera& camera = street_.cameras()[i];
        const bool chosen = street_.chosen().kind == Kind::Camera && street_.chosen().index == static_cast<int>(i);
        const QPointF at = to_widget({camera.position.x, camera.position.y});
        const double half = std::atan(camera.width / 2.0 / camera.fx), far = std::clamp(8 * zoom_, 24.0, 90.0);
        QPolygonF wedge{at};
        for (const double side : {half, -half}) {
            const double turn = camera.yaw * degree + side;
            wedge.append(at + QPointF(std::cos(turn), -std::sin(turn)) * far);
        }
        QColor colour = chosen ? style.accent : style.text;
        painter.setPen(QPen(colour, chosen ? 1.6 : 0.8));
        colour.setAlphaF(chosen ? 0.3f : 0.1f);
        painter.setBrush(colour);
        painter.drawPolygon(wedge);
        painter.setBrush(chosen ? style.accent : style.text);
        painter.drawEllipse(at, 2.5, 2.5);
    }
}

void StreetPlan::paint_boxes(QPainter& painter) const {
    const auto& boxes = street_.street().boxes;
    for (std::size_t i = 0; i < boxes.size(); ++i) {
        const bool chosen = street_.chosen().kind == Kind::Box && street_.chosen().index == static_cast<int>(i);
        const QPolygonF shape = outline(boxes[i]);
        const QColor colour = nodes::box_colour(boxes[i].box_class);
        painter.setPen(QPen(chosen ? canvas_style().accent : colour.darker(160), chosen ? 2 : 1));
        painter.setBrush(colour);
        painter.drawPolygon(shape);
        // An arrow that points ahead.
        const QPointF front = (shape[0] + shape[1]) / 2, left = (shape[0] + shape[3]) / 2, right = (shape[1] + shape[2]) / 2;
        painter.setPen(QPen(colour.darker(220), 1.2));
        painter.setBrush(Qt::NoBrush);
        painter.drawPolyline(QPolygonF{left, front, right});
    }
}

void StreetPlan::paint_handles(QPainter& painter) const {
    const Style& style = canvas_style();
    painter.setPen(QPen(style.accent, 1.4));
    painter.setBrush(style.canvas);
    if (const auto handle = turn_handle()) {
        const StreetBox* box = street_.chosen_box();
        const Vec3& at = box ? box->center : street_.chosen_camera()->position;
        painter.drawLine(to_widget({at.x, at.y}), *handle);
        painter.drawEllipse(*handle, handle_radius, handle_radius);
    }
    for (const QPointF& side : side_handles()) painter.drawRect(QRectF(side.x() - 3, side.y() - 3, 6, 6));
    if (const Lane* lane = street_.chosen_lane(); lane && street_.edits_street())
        for (std::size_t i = 0; i < lane->points.size(); ++i) {
            painter.setBrush(street_.chosen().point == static_cast<int>(i) ? style.accent : style.canvas);
            painter.drawEllipse(to_widget(lane->points[i]), handle_radius, handle_radius);
        }
    if (draft_.empty()) return;
    QPolygonF line;
    for (const Point2& p : draft_) line.append(to_widget(p));
    line.append(to_widget(hover_));
    painter.setPen(QPen(style.accent, 2, Qt::DashLine));
    painter.setBrush(Qt::NoBrush);
    painter.drawPolyline(line);
}

}  // namespace app
