// A street as a camera sees it, drawn with QPainter: what nodes turn into pictures and what the editor shows while one edits.
#pragma once

#include <QColor>
#include <QLineF>
#include <QPainter>
#include <QPolygonF>
#include <optional>
#include <span>

#include "nodes/types/camera.h"
#include "nodes/types/street.h"

namespace nodes {

inline constexpr double near_plane = 0.1;      // metres along the optical axis; nothing nearer is drawn

// Cut to what lies in front of the near plane and not far outside of the picture, then projected. Empty: nothing is left.
QPolygonF projected(const Projection& view, std::span<const Vec3> polygon);
std::optional<QLineF> projected(const Projection& view, const Vec3& from, const Vec3& to);

enum class Visibility {
    Front,      // some corner lies in front of the camera: what MagicDrive's encoder gets
    View,       // and some corner lies between the left and right, and some between the top and bottom side
};
bool is_visible(const Projection& view, const StreetBox& box, Visibility filter);

// Indices of those that are visible, in an order in which nearer ones hide what comes before them. Boxes that touch are ordered by
// the distance of their middles.
std::vector<std::size_t> far_to_near(const Projection& view, std::span<const StreetBox> boxes, Visibility filter);

QColor box_colour(std::size_t box_class);
QColor lane_colour(std::size_t lane_class);

// Edges of boxes, with a line from the middle of the lower front that points ahead, and lanes as lines.
void draw_wires(QPainter& painter, const Projection& view, std::span<const StreetBox> boxes, const Lanes& lanes, Visibility filter, double thickness);
// Sky, ground and lanes as flat areas, then boxes as bodies. `painter` is at the camera's pixels.
void draw_ground(QPainter& painter, const Projection& view, const Lanes& lanes);
void draw_bodies(QPainter& painter, const Projection& view, std::span<const StreetBox> boxes);

}  // namespace nodes
