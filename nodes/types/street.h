// boxes and lanes: what stands and what is painted on a street. In<Boxes>, In<Lanes>. Places are in the LiDAR frame (camera.h): x to the
// right, y forward, z up, in metres.
#pragma once

#include <QByteArray>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "nodes/core/socket_type.h"
#include "nodes/types/vec3.h"

namespace nodes {

// The ten classes of nuScenes's detection task, in the order of their ids.
const std::vector<std::string>& box_classes();      // car, truck, construction_vehicle, bus, trailer, barrier, motorcycle, bicycle, pedestrian, traffic_cone

struct BoxSize {
    double width = 0, length = 0, height = 0;
    friend bool operator==(const BoxSize&, const BoxSize&) = default;
};
BoxSize usual_size(std::size_t box_class);      // the mean of nuScenes

struct StreetBox {
    std::size_t box_class = 0;
    Vec3 center;             // of gravity
    BoxSize size;
    double yaw = 90;         // degrees that the front looks in, from x counterclockwise seen from above: 0 to the right, 90 forward
    friend bool operator==(const StreetBox&, const StreetBox&) = default;

    // In the order that SECOND has and MagicDrive's box encoder reads: 000, 001, 011, 010, 100, 101, 111, 110 of (width, length, height);
    // the front has length 0. `origin` is where `center` lies in the height: 0.5 as it is; 0 lifts the corners by half a height, as
    // MagicDrive feeds them.
    std::array<Vec3, 8> corners(double origin = 0.5) const;
    // The yaw of that order, in radians: -yaw - pi/2.
    double second_yaw() const;
};
inline constexpr std::array<std::array<int, 2>, 12> box_edges{{{0, 1}, {1, 2}, {2, 3}, {3, 0}, {4, 5}, {5, 6}, {6, 7}, {7, 4}, {0, 4}, {1, 5}, {2, 6}, {3, 7}}};
// Each face's corners in a circle from a lower one; the front is the first.
inline constexpr std::array<std::array<int, 4>, 6> box_faces{{{0, 4, 5, 1}, {3, 7, 6, 2}, {0, 3, 2, 1}, {4, 7, 6, 5}, {1, 2, 6, 5}, {0, 3, 7, 4}}};

struct Boxes {
    std::shared_ptr<const std::vector<StreetBox>> list;      // never null on a wire
};

// The layers of MagicDrive's map, in the order of its channels.
const std::vector<std::string>& lane_classes();      // drivable_area, ped_crossing, walkway, stop_line, carpark_area, road_divider, lane_divider, road_block
// Whether what is inside belongs to it; the two dividers are lines.
bool is_area(std::size_t lane_class);
inline constexpr std::array<std::size_t, 8> lane_order{0, 2, 4, 7, 1, 3, 5, 6};      // in which they lie on each other, the lowest first

struct Point2 {
    double x = 0, y = 0;
    friend bool operator==(const Point2&, const Point2&) = default;
};

struct Lane {
    std::size_t lane_class = 0;
    std::vector<Point2> points;
    // Not 0: a band of this width along the points, whatever the class. 0: the area inside the points, or a line through them.
    double width = 0;
    friend bool operator==(const Lane&, const Lane&) = default;

    bool is_line() const { return width == 0 && !is_area(lane_class); }
    // The corners of the area or of the band; of a line those of a band of `line_width`.
    std::vector<Point2> outline(double line_width) const;
};

struct Lanes {
    std::shared_ptr<const std::vector<Lane>> list;      // never null on a wire
    double ground = -1.84;                              // z of the road
};

// A whole street as a person writes it.
struct Street {
    double ground = -1.84;      // about the height of nuScenes's LiDAR
    std::vector<StreetBox> boxes;
    std::vector<Lane> lanes;
    friend bool operator==(const Street&, const Street&) = default;
};

inline constexpr std::size_t max_boxes = 1000, max_lanes = 2000, max_lane_points = 100000;

// JSON: {"ground": -1.84, "boxes": [{"class": "car", "center": [x, y, z], "size": [width, length, height], "yaw": 90}, ...],
// "lanes": [{"class": "lane_divider", "points": [x, y, x, y, ...], "width": 0}, ...]}. Everything but class, center and points may be left
// out: a center of two numbers stands on the ground, a size is the usual one. Empty text is an empty street. Throws Error{InvalidGraph}
// naming the box or lane and what was expected.
Street parse_street(const QByteArray& json);
// What parse_street reads, a line for each box and lane; metres to thousandths, degrees to hundredths. Empty for an empty street.
QByteArray street_json(const Street& street);

template <>
struct SocketTraits<Boxes> {
    static constexpr const char* name = "boxes";
    static SocketType describe();
};

template <>
struct SocketTraits<Lanes> {
    static constexpr const char* name = "lanes";
    static SocketType describe();
};

}  // namespace nodes
