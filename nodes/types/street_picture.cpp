#include "nodes/types/street_picture.h"

#include <algorithm>
#include <array>

namespace nodes {
namespace {

constexpr double margin = 64;              // pixels beyond the picture that are still drawn
constexpr double horizon = 5000;           // metres to the end of the ground
constexpr double painted_width = 0.15;     // metres, of dividers

// The half space a x + b y + c z >= d in the camera's frame.
struct Plane {
    Vec3 normal;
    double offset = 0;
    double side(const Vec3& p) const { return dot(normal, p) - offset; }
};

std::array<Plane, 5> frustum(const Camera& camera) {
    return {{{{0, 0, 1}, near_plane},
             {{camera.fx, 0, camera.cx + margin}},
             {{-camera.fx, 0, camera.width + margin - camera.cx}},
             {{0, camera.fy, camera.cy + margin}},
             {{0, -camera.fy, camera.height + margin - camera.cy}}}};
}

// Sutherland and Hodgman's clipping against one plane.
std::vector<Vec3> clipped(const std::vector<Vec3>& polygon, const Plane& plane) {
    std::vector<Vec3> kept;
    for (std::size_t i = 0; i < polygon.size(); ++i) {
        const Vec3 &a = polygon[i], &b = polygon[(i + 1) % polygon.size()];
        const double from = plane.side(a), to = plane.side(b);
        if (from >= 0) kept.push_back(a);
        if ((from >= 0) != (to >= 0)) kept.push_back(a + (b - a) * (from / (from - to)));
    }
    return kept;
}

QPointF divided(const Camera& camera, const Vec3& p) { return {camera.fx * p.x / p.z + camera.cx, camera.fy * p.y / p.z + camera.cy}; }

QColor shaded(const QColor& colour, double factor) {
    const auto part = [&](int value) { return static_cast<int>(std::clamp(std::lround(value * factor), 0L, 255L)); };
    return {part(colour.red()), part(colour.green()), part(colour.blue())};
}

Vec3 between(const Vec3& a, const Vec3& b, double share) { return a + (b - a) * share; }

// A part of a face: shares of its width and height.
std::array<Vec3, 4> part_of(const std::array<Vec3, 4>& face, double left, double right, double low, double high) {
    const auto at = [&](double s, double t) { return between(between(face[0], face[1], s), between(face[3], face[2], s), t); };
    return {at(left, low), at(right, low), at(right, high), at(left, high)};
}

void fill(QPainter& painter, const Projection& view, std::span<const Vec3> polygon, const QColor& colour) {
    const QPolygonF shape = projected(view, polygon);
    if (shape.size() < 3) return;
    painter.setBrush(colour);
    painter.drawPolygon(shape);
}

bool is_motor_vehicle(std::size_t box_class) { return box_class <= 4; }

void draw_box(QPainter& painter, const Projection& view, const StreetBox& box) {
    const std::array<Vec3, 8> corners = box.corners();
    const Vec3 sun{0.36, -0.48, 0.8};
    const QColor glass(38, 48, 58);
    for (std::size_t f = 0; f < box_faces.size(); ++f) {
        std::array<Vec3, 4> face;
        Vec3 middle{};
        for (std::size_t i = 0; i < 4; ++i) face[i] = corners[static_cast<std::size_t>(box_faces[f][i])], middle = middle + face[i] * 0.25;
        const Vec3 outward = middle - box.center;
        if (dot(outward, view.camera().position - middle) <= 0) continue;
        fill(painter, view, face, shaded(box_colour(box.box_class), 0.62 + 0.38 * std::max(0.0, dot(outward, sun) / length(outward))));
        const bool front = f == 0, back = f == 1, side = f == 2 || f == 3;
        if (is_motor_vehicle(box.box_class)) {
            // A trailer has no windows.
            if (box.box_class != 4 && (front || side)) fill(painter, view, part_of(face, 0.1, side ? 0.75 : 0.9, 0.55, 0.88), glass);
            if (box.box_class == 0 && back) fill(painter, view, part_of(face, 0.14, 0.86, 0.58, 0.86), glass);
            if (front || back)
                for (const double at : {0.06, 0.76})
                    fill(painter, view, part_of(face, at, at + 0.18, 0.3, 0.42), front ? QColor(255, 244, 200) : QColor(200, 20, 24));
        } else if (front && (box.box_class >= 6 && box.box_class <= 8)) {      // who looks this way has a face
            fill(painter, view, part_of(face, 0.25, 0.75, 0.82, 0.96), QColor(240, 205, 175));
        }
    }
}

// Which of two boxes can hide the other: a side of one with all of the other beyond it tells, by the side that the camera is on.
struct Hiding {
    bool first = true, second = true;      // the first hides the second, the second the first

    void look(const std::array<Vec3, 8>& of, const std::array<Vec3, 8>& other, const Vec3& eye, bool& of_hides, bool& other_hides) {
        const Vec3 middle = (of[0] + of[6]) * 0.5;
        for (const std::array<int, 4>& face : box_faces) {
            const Vec3 at = (of[static_cast<std::size_t>(face[0])] + of[static_cast<std::size_t>(face[2])]) * 0.5, outward = at - middle;
            if (!std::ranges::all_of(other, [&](const Vec3& p) { return dot(outward, p - at) >= -1e-6; })) continue;
            (dot(outward, eye - at) > 0 ? of_hides : other_hides) = false;
        }
    }
    Hiding(const std::array<Vec3, 8>& a, const std::array<Vec3, 8>& b, const Vec3& eye) {
        look(a, b, eye, first, second);
        look(b, a, eye, second, first);
    }
};

}  // namespace

QPolygonF projected(const Projection& view, std::span<const Vec3> polygon) {
    std::vector<Vec3> points;
    points.reserve(polygon.size() + 4);
    for (const Vec3& p : polygon) points.push_back(view.to_camera(p));
    for (const Plane& plane : frustum(view.camera())) points = clipped(points, plane);
    QPolygonF shape;
    for (const Vec3& p : points) shape.append(divided(view.camera(), p));
    return shape;
}

std::optional<QLineF> projected(const Projection& view, const Vec3& from, const Vec3& to) {
    Vec3 a = view.to_camera(from), b = view.to_camera(to);
    for (const Plane& plane : frustum(view.camera())) {
        const double at = plane.side(a), end = plane.side(b);
        if (at < 0 && end < 0) return {};
        if (at < 0) a = a + (b - a) * (at / (at - end));
        if (end < 0) b = b + (a - b) * (end / (end - at));
    }
    return QLineF(divided(view.camera(), a), divided(view.camera(), b));
}

bool is_visible(const Projection& view, const StreetBox& box, Visibility filter) {
    bool front = false, across = false, down = false;
    for (const Vec3& corner : box.corners()) {
        const Vec3 at = view.to_pixel(corner);
        if (at.z <= 0) continue;
        front = true;
        across = across || (at.x > 0 && at.x < view.camera().width);
        down = down || (at.y > 0 && at.y < view.camera().height);
    }
    return front && (filter == Visibility::Front || (across && down));
}

std::vector<std::size_t> far_to_near(const Projection& view, std::span<const StreetBox> boxes, Visibility filter) {
    const Vec3 eye = view.camera().position;
    std::vector<std::size_t> seen;
    for (std::size_t i = 0; i < boxes.size(); ++i)
        if (is_visible(view, boxes[i], filter)) seen.push_back(i);
    std::ranges::stable_sort(seen, std::greater(), [&](std::size_t i) { return length(boxes[i].center - eye); });
    std::vector<std::array<Vec3, 8>> corners;
    for (const std::size_t i : seen) corners.push_back(boxes[i].corners());
    // Each after all that have to come before it; where that goes in a circle the distance decides.
    std::vector<std::size_t> sorted;
    std::vector<int> state(seen.size());      // 1: being placed, 2: placed
    const auto place = [&](auto&& self, std::size_t i) -> void {
        if (state[i]) return;
        state[i] = 1;
        for (std::size_t j = 0; j < seen.size(); ++j)
            if (!state[j])
                if (const Hiding pair(corners[i], corners[j], eye); pair.first && !pair.second) self(self, j);
        state[i] = 2;
        sorted.push_back(seen[i]);
    };
    for (std::size_t i = 0; i < seen.size(); ++i) place(place, i);
    return sorted;
}

QColor box_colour(std::size_t box_class) {
    static const std::array<QColor, 10> colours{QColor(226, 120, 40),  QColor(70, 130, 205), QColor(232, 190, 60), QColor(60, 165, 130), QColor(140, 120, 190),
                                                QColor(150, 150, 155), QColor(205, 70, 120), QColor(210, 80, 70),  QColor(70, 110, 230), QColor(250, 90, 30)};
    return colours.at(box_class);
}

QColor lane_colour(std::size_t lane_class) {
    static const std::array<QColor, 8> colours{QColor(92, 94, 98),    QColor(205, 205, 200), QColor(160, 150, 135), QColor(235, 235, 235),
                                               QColor(110, 118, 135), QColor(235, 190, 60),  QColor(240, 240, 240), QColor(120, 100, 100)};
    return colours.at(lane_class);
}

void draw_wires(QPainter& painter, const Projection& view, std::span<const StreetBox> boxes, const Lanes& lanes, Visibility filter, double thickness) {
    const auto line = [&](const Vec3& a, const Vec3& b) {
        if (const auto shown = projected(view, a, b)) painter.drawLine(*shown);
    };
    const auto pen = [&](const QColor& colour) { painter.setPen(QPen(colour, thickness, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin)); };
    for (const std::size_t layer : lane_order)
        for (const Lane& lane : *lanes.list) {
            if (lane.lane_class != layer) continue;
            pen(lane_colour(layer));
            const std::vector<Point2> points = lane.is_line() ? lane.points : lane.outline(0);
            for (std::size_t i = 0; i + (lane.is_line() ? 1 : 0) < points.size(); ++i) {
                const Point2 &a = points[i], &b = points[(i + 1) % points.size()];
                line({a.x, a.y, lanes.ground}, {b.x, b.y, lanes.ground});
            }
        }
    for (const std::size_t i : far_to_near(view, boxes, filter)) {
        const StreetBox& box = boxes[i];
        const std::array<Vec3, 8> corners = box.corners();
        pen(box_colour(box.box_class));
        for (const auto& [a, b] : box_edges) line(corners[static_cast<std::size_t>(a)], corners[static_cast<std::size_t>(b)]);
        const Vec3 front = (corners[0] + corners[4]) * 0.5, middle = (front + (corners[3] + corners[7]) * 0.5) * 0.5;
        line(middle, front + (front - middle) * 0.5);
    }
}

void draw_ground(QPainter& painter, const Projection& view, const Lanes& lanes) {
    painter.setPen(Qt::NoPen);
    const Camera& camera = view.camera();
    QLinearGradient sky(0, 0, 0, camera.height);
    sky.setColorAt(0, QColor(120, 165, 215));
    sky.setColorAt(1, QColor(205, 220, 232));
    painter.fillRect(QRectF(0, 0, camera.width, camera.height), sky);
    const double x = camera.position.x, y = camera.position.y, z = lanes.ground;
    if (camera.position.z <= z) return;      // the road is not seen from below
    const Vec3 ground[] = {{x - horizon, y - horizon, z}, {x + horizon, y - horizon, z}, {x + horizon, y + horizon, z}, {x - horizon, y + horizon, z}};
    fill(painter, view, ground, QColor(122, 132, 98));
    for (const std::size_t layer : lane_order)
        for (const Lane& lane : *lanes.list) {
            if (lane.lane_class != layer) continue;
            std::vector<Vec3> area;
            for (const Point2& p : lane.outline(painted_width)) area.push_back({p.x, p.y, z});
            fill(painter, view, area, lane_colour(layer));
        }
}

void draw_bodies(QPainter& painter, const Projection& view, std::span<const StreetBox> boxes) {
    painter.setPen(Qt::NoPen);
    for (const std::size_t i : far_to_near(view, boxes, Visibility::Front)) draw_box(painter, view, boxes[i]);
}

}  // namespace nodes
