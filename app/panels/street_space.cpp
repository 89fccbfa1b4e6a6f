#include "app/panels/street_space.h"

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
using nodes::Camera;
using nodes::Projection;
using nodes::StreetBox;
using nodes::Vec3;

constexpr double degree = std::numbers::pi / 180;
constexpr double reach = 10;         // widget pixels
constexpr double view_angle = 50;    // degrees across the shorter side
constexpr double least_distance = 2, most_distance = 300;
constexpr double aim = 4;            // metres from a camera to the handle that turns it
constexpr double frustum_depth = 3;  // metres that its edges reach
constexpr double grid_range = 50, grid_step = 10;

void draw_edge(QPainter& painter, const Projection& view, const Vec3& from, const Vec3& to) {
    if (const auto line = nodes::projected(view, from, to)) painter.drawLine(*line);
}

}  // namespace

StreetSpace::StreetSpace(StreetModel& street, QWidget* parent) : StreetView(street, parent) {
    setObjectName(QStringLiteral("street_space"));
    setAccessibleName(tr("Street in three dimensions"));
    setWhatsThis(tr("Drag boxes and cameras (Shift: up and down) and the handle that turns them; nothing turns the view, the right button moves it, the wheel zooms. "
                    "Keys: Page Up and Page Down choose, arrows move or turn the view where nothing is chosen, [ and ] turn, comma and full stop tilt a camera, "
                    "Insert adds a camera, Delete removes, plus and minus zoom, Home looks from behind."));
    fit();
}

// --- the view ---

void StreetSpace::fit() {
    centre_ = {0, 8, street_.street().ground};
    distance_ = 40, yaw_ = 90, pitch_ = -25;
    update();
}

void StreetSpace::orbit(double yaw, double pitch) {
    yaw_ = std::remainder(yaw_ + yaw, 360);
    pitch_ = std::clamp(pitch_ + pitch, -89.0, -3.0);  // never from below the road
    update();
}

void StreetSpace::zoom_by(double factor) {
    distance_ = std::clamp(distance_ / factor, least_distance, most_distance);
    update();
}

Camera StreetSpace::eye() const {
    Camera camera{.name = "eye", .width = std::max(width(), 8), .height = std::max(height(), 8), .yaw = yaw_, .pitch = pitch_};
    camera.fx = camera.fy = std::min(camera.width, camera.height) / 2.0 / std::tan(view_angle / 2 * degree);
    camera.cx = camera.width / 2.0, camera.cy = camera.height / 2.0;
    camera.position = centre_ - Projection(camera).forward() * distance_;
    return camera;
}

void StreetSpace::pan(QPointF by) {
    const Camera camera = eye();
    const Projection view(camera);
    const double scale = distance_ / camera.fx;
    // Over the ground: up on the screen is away.
    const Vec3 away{std::cos(yaw_ * degree), std::sin(yaw_ * degree), 0};
    centre_ = centre_ - view.right() * (by.x() * scale) + away * (by.y() * scale);
    update();
}

QPointF StreetSpace::to_widget(const Vec3& at) const {
    const Vec3 pixel = Projection(eye()).to_pixel(at);
    return {pixel.x, pixel.y};
}

std::optional<Vec3> StreetSpace::turn_handle() const {
    if (const StreetBox* box = street_.chosen_box(); box && street_.edits_street()) {
        const double far = box->size.length / 2 + 1.5;
        return box->center + Vec3{std::cos(box->yaw * degree) * far, std::sin(box->yaw * degree) * far, 0};
    }
    if (const Camera* camera = street_.chosen_camera(); camera && street_.edits_cameras()) return camera->position + Projection(*camera).forward() * aim;
    return {};
}

// Where the line of sight through a pixel meets a level plane.
std::optional<Vec3> StreetSpace::on_level(QPointF at, double z) const {
    const Camera camera = eye();
    const Vec3 ray = Projection(camera).ray(at.x(), at.y());
    const double far = (z - camera.position.z) / ray.z;
    if (!(far > 0 && far < 10 * most_distance)) return {};
    return camera.position + ray * far;
}

Choice StreetSpace::place_at(QPointF at) const {
    const Projection view(eye());
    Choice best;
    double nearest = reach;
    for (std::size_t i = 0; i < street_.cameras().size(); ++i) {
        const Vec3 pixel = view.to_pixel(street_.cameras()[i].position);
        const double far = std::hypot(pixel.x - at.x(), pixel.y - at.y());
        if (pixel.z > 0 && far <= nearest) nearest = far, best = {Kind::Camera, static_cast<int>(i)};
    }
    if (best.kind != Kind::None) return best;
    const auto& boxes = street_.street().boxes;
    std::vector<std::size_t> order = nodes::far_to_near(view, boxes, nodes::Visibility::Front);
    for (auto i = order.rbegin(); i != order.rend(); ++i) {
        const auto corners = boxes[*i].corners();
        for (const auto& face : nodes::box_faces) {
            std::vector<Vec3> shape;
            for (const int corner : face) shape.push_back(corners[static_cast<std::size_t>(corner)]);
            if (nodes::projected(view, shape).containsPoint(at, Qt::OddEvenFill)) return {Kind::Box, static_cast<int>(*i)};
        }
    }
    return {};
}

// --- edits ---

void StreetSpace::turn_to(QPointF at) {
    if (const StreetBox* box = street_.chosen_box()) {
        const auto to = on_level(at, box->center.z);
        if (to) street_.turn_chosen(std::round(std::atan2(to->y - box->center.y, to->x - box->center.x) / degree) - box->yaw, 0, gesture_);
    } else if (const Camera* camera = street_.chosen_camera()) {
        // On a sphere around the camera: where the line of sight meets it nearest to where the handle is, or passes it closest.
        const Camera from = eye();
        Vec3 ray = Projection(from).ray(at.x(), at.y());
        ray = ray * (1 / length(ray));
        const Vec3 off = from.position - camera->position;
        const double middle = -dot(off, ray), gap = middle * middle - dot(off, off) + aim * aim;
        const Vec3 now = Projection(*camera).forward() * aim;
        const double half = gap > 0 ? std::sqrt(gap) : 0;
        const Vec3 front = off + ray * (middle - half), back = off + ray * (middle + half);
        const Vec3 to = length(front - now) <= length(back - now) ? front : back;
        const double yaw = std::atan2(to.y, to.x) / degree, pitch = std::asin(std::clamp(to.z / length(to), -1.0, 1.0)) / degree;
        street_.turn_chosen(yaw - camera->yaw, pitch - camera->pitch, gesture_);
    }
}

// --- events ---

void StreetSpace::wheelEvent(QWheelEvent* event) {
    zoom_by(std::pow(1.002, event->angleDelta().y()));
    event->accept();
}

void StreetSpace::mousePressEvent(QMouseEvent* event) {
    setFocus();
    grabbed_ = event->position();
    gesture_ = Gesture::next();
    drag_ = Drag::None;
    if (event->button() == Qt::RightButton || event->button() == Qt::MiddleButton) {
        drag_ = Drag::Pan;
        return;
    }
    if (event->button() != Qt::LeftButton) return;
    if (const auto handle = turn_handle()) {
        // From far away it is over what it turns: then what is nearer counts.
        const auto away = [&](const Vec3& place) { return std::hypot(to_widget(place).x() - grabbed_.x(), to_widget(place).y() - grabbed_.y()); };
        const Vec3 middle = street_.chosen_box() ? street_.chosen_box()->center : street_.chosen_camera()->position;
        if (away(*handle) <= reach && away(*handle) < away(middle)) {
            drag_ = Drag::Turn;
            return;
        }
    }
    street_.choose(place_at(grabbed_));
    const StreetBox* box = street_.chosen_box();
    const Camera* camera = street_.chosen_camera();
    if (!box && !camera) {
        drag_ = Drag::Orbit;
        return;
    }
    start_ = box ? box->center : camera->position;
    const auto under = on_level(grabbed_, start_.z);
    off_ = under ? *under - start_ : Vec3{};
    drag_ = event->modifiers() & Qt::ShiftModifier || !under ? Drag::Lift : Drag::Move;
}

void StreetSpace::mouseMoveEvent(QMouseEvent* event) {
    const QPointF at = event->position(), by = at - grabbed_;
    if (!event->buttons()) drag_ = Drag::None;
    const StreetBox* box = street_.chosen_box();
    const Camera* camera = street_.chosen_camera();
    const Vec3 now = box ? box->center : camera ? camera->position : Vec3{};
    switch (drag_) {
        case Drag::None: return;
        case Drag::Orbit:
            orbit(-by.x() * 0.4, -by.y() * 0.3);
            grabbed_ = at;
            return;
        case Drag::Pan:
            pan(by);
            grabbed_ = at;
            return;
        case Drag::Turn: return turn_to(at);
        case Drag::Move: {
            const auto to = on_level(at, start_.z);
            if (to) street_.move_chosen(Vec3{to->x - off_.x - now.x, to->y - off_.y - now.y, 0}, gesture_);
            return;
        }
        case Drag::Lift: {
            const Camera from = eye();
            const double depth = Projection(from).to_camera(start_).z;
            return street_.move_chosen({0, 0, start_.z - by.y() * depth / from.fy - now.z}, gesture_);
        }
    }
}

void StreetSpace::mouseReleaseEvent(QMouseEvent*) { drag_ = Drag::None; }

void StreetSpace::keyPressEvent(QKeyEvent* event) {
    const bool plain = StreetModel::wants_key(*event);
    const int key = plain ? event->key() : 0;
    if (key == Qt::Key_Home) return fit();
    if (key == Qt::Key_Plus || key == Qt::Key_Equal) return zoom_by(1.25);
    if (key == Qt::Key_Minus) return zoom_by(0.8);
    if (plain && street_.key(*event)) return;
    switch (key) {  // nothing is chosen
        case Qt::Key_Left: return orbit(-5, 0);
        case Qt::Key_Right: return orbit(5, 0);
        case Qt::Key_Up: return orbit(0, -5);
        case Qt::Key_Down: return orbit(0, 5);
        default: QWidget::keyPressEvent(event);
    }
}

// --- painting ---

void StreetSpace::paint_frustum(QPainter& painter, const Projection& view, const Camera& camera, bool chosen) const {
    const Projection own(camera);
    const QColor colour = chosen ? canvas_style().accent : QColor(25, 30, 38);
    painter.setPen(QPen(colour, chosen ? 2 : 1.2));
    Vec3 corners[4];
    for (int i = 0; i < 4; ++i) corners[i] = camera.position + own.ray(i == 1 || i == 2 ? camera.width : 0, i >= 2 ? camera.height : 0) * frustum_depth;
    for (int i = 0; i < 4; ++i) {
        draw_edge(painter, view, camera.position, corners[i]);
        draw_edge(painter, view, corners[i], corners[(i + 1) % 4]);
    }
    // Which side is up.
    const Vec3 top = (corners[0] + corners[1]) * 0.5 - own.down() * 0.5;
    draw_edge(painter, view, corners[0], top);
    draw_edge(painter, view, top, corners[1]);
    const Vec3 pixel = view.to_pixel(camera.position);
    if (pixel.z <= 0) return;
    painter.setBrush(colour);
    painter.drawEllipse(QPointF(pixel.x, pixel.y), 3, 3);
}

void StreetSpace::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const Projection view(eye());
    const nodes::Street& street = street_.street();
    painter.setRenderHint(QPainter::Antialiasing);
    nodes::draw_ground(painter, view, street_.lanes());
    painter.setPen(QPen(QColor(255, 255, 255, 60), 1));
    for (double at = -grid_range; at <= grid_range; at += grid_step) {
        draw_edge(painter, view, {at, -grid_range, street.ground}, {at, grid_range, street.ground});
        draw_edge(painter, view, {-grid_range, at, street.ground}, {grid_range, at, street.ground});
    }
    painter.setRenderHint(QPainter::Antialiasing, false);  // else seams show between faces
    nodes::draw_bodies(painter, view, street.boxes);
    painter.setRenderHint(QPainter::Antialiasing);
    for (std::size_t i = 0; i < street_.cameras().size(); ++i)
        paint_frustum(painter, view, street_.cameras()[i], street_.chosen().kind == Kind::Camera && street_.chosen().index == static_cast<int>(i));
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(canvas_style().accent, 2));
    if (const StreetBox* box = street_.chosen_box()) {
        const auto corners = box->corners();
        for (const auto& [a, b] : nodes::box_edges) draw_edge(painter, view, corners[static_cast<std::size_t>(a)], corners[static_cast<std::size_t>(b)]);
    }
    if (const nodes::Lane* lane = street_.chosen_lane())
        for (std::size_t i = 0; i + 1 < lane->points.size(); ++i)
            draw_edge(painter, view, {lane->points[i].x, lane->points[i].y, street.ground}, {lane->points[i + 1].x, lane->points[i + 1].y, street.ground});
    if (const auto handle = turn_handle()) {
        const StreetBox* box = street_.chosen_box();
        draw_edge(painter, view, box ? box->center : street_.chosen_camera()->position, *handle);
        painter.setBrush(canvas_style().canvas);
        if (view.to_camera(*handle).z > nodes::near_plane) painter.drawEllipse(to_widget(*handle), 4.5, 4.5);
    }
    painter.setBrush(Qt::NoBrush);
    if (hasFocus()) {
        painter.setPen(canvas_style().accent);
        painter.drawRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5));
    }
    if (street_.problem().isEmpty()) return;
    painter.setPen(canvas_style().failed);
    painter.drawText(rect().adjusted(12, 12, -12, -12), Qt::AlignTop | Qt::AlignLeft | Qt::TextWordWrap, street_.problem());
}

// --- what the cameras see ---

StreetViews::StreetViews(StreetModel& street, QWidget* parent) : QWidget(parent), street_(street) {
    setObjectName(QStringLiteral("street_views"));
    setAccessibleName(tr("What each camera sees"));
    setMinimumSize(160, 60);
    connect(&street_, &StreetModel::changed, this, qOverload<>(&QWidget::update));
    connect(&street_, &StreetModel::chosen_changed, this, qOverload<>(&QWidget::update));
}

// As many columns as make the pictures largest.
QRectF StreetViews::cell(std::size_t camera) const {
    const int count = static_cast<int>(street_.cameras().size());
    const double aspect = double(street_.cameras().front().width) / street_.cameras().front().height;
    int columns = 1;
    double best = 0;
    for (int each = 1; each <= count; ++each) {
        const int rows = (count + each - 1) / each;
        const double wide = std::min(double(width()) / each, double(height()) / rows * aspect);
        if (wide > best) best = wide, columns = each;
    }
    const int rows = (count + columns - 1) / columns, at = static_cast<int>(camera);
    const QPointF corner((width() - best * columns) / 2, (height() - best / aspect * rows) / 2);
    return {corner.x() + best * (at % columns), corner.y() + best / aspect * (at / columns), best, best / aspect};
}

void StreetViews::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), canvas_style().canvas);
    for (std::size_t i = 0; i < street_.cameras().size(); ++i) {
        const QRect area = cell(i).adjusted(1, 1, -1, -1).toRect();
        if (area.width() < 8 || area.height() < 8) continue;
        const Projection view(street_.cameras()[i].resized(area.width(), area.height()));
        painter.save();
        painter.translate(area.topLeft());
        painter.setClipRect(0, 0, area.width(), area.height());
        painter.setRenderHint(QPainter::Antialiasing);
        nodes::draw_ground(painter, view, street_.lanes());
        painter.setRenderHint(QPainter::Antialiasing, false);  // else seams show between faces
        nodes::draw_bodies(painter, view, street_.street().boxes);
        painter.setRenderHint(QPainter::Antialiasing);
        if (const StreetBox* box = street_.chosen_box()) {
            painter.setPen(QPen(canvas_style().accent, 1.5));
            const auto corners = box->corners();
            for (const auto& [a, b] : nodes::box_edges) draw_edge(painter, view, corners[static_cast<std::size_t>(a)], corners[static_cast<std::size_t>(b)]);
        }
        painter.restore();
        const bool chosen = street_.chosen().kind == Kind::Camera && street_.chosen().index == static_cast<int>(i);
        painter.setPen(QPen(chosen ? canvas_style().accent : canvas_style().border, chosen ? 2 : 1));
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(area);
        painter.setPen(QColor(20, 24, 30));
        painter.setFont(canvas_style().small_font);
        painter.drawText(area.adjusted(4, 2, -4, -2), Qt::AlignTop | Qt::AlignLeft, qt(street_.cameras()[i].name));
    }
}

void StreetViews::mousePressEvent(QMouseEvent* event) {
    for (std::size_t i = 0; i < street_.cameras().size(); ++i)
        if (cell(i).contains(event->position())) return street_.choose({Kind::Camera, static_cast<int>(i)});
}

}  // namespace app
