#include "nodes/types/street.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <algorithm>
#include <map>
#include <numbers>

#include "gpu/base/error.h"
#include "nodes/types/camera.h"
#include "nodes/types/json_fields.h"

namespace nodes {
namespace {

constexpr double degree = std::numbers::pi / 180;
constexpr double most_size = 100;      // metres
constexpr double most_mitre = 3;       // of half widths, at sharp bends of a band

double thousandths(double value) { return std::round(value * 1e3) / 1e3; }
double hundredths(double value) { return std::round(value * 1e2) / 1e2; }

StreetBox read_box(const QJsonValue& value, std::size_t index, double ground) {
    const JsonFields fields(value, gpu::format("street: box {}", index));
    fields.only({"class", "center", "size", "yaw"});
    StreetBox box{.box_class = fields.choice("class", box_classes())};
    box.size = usual_size(box.box_class);
    if (const auto size = fields.numbers("size", {3}, 0.01, most_size)) box.size = {(*size)[0], (*size)[1], (*size)[2]};
    const auto center = fields.numbers("center", {2, 3}, -max_street_coordinate, max_street_coordinate);
    if (!center) fields.fail("expected a center [x, y] or [x, y, z], got none");
    box.center = {(*center)[0], (*center)[1], center->size() == 3 ? (*center)[2] : ground + box.size.height / 2};
    box.yaw = fields.number("yaw", 90, -360, 360);
    return box;
}

Lane read_lane(const QJsonValue& value, std::size_t index) {
    const JsonFields fields(value, gpu::format("street: lane {}", index));
    fields.only({"class", "points", "width"});
    Lane lane{.lane_class = fields.choice("class", lane_classes()), .width = fields.number("width", 0, 0, most_size)};
    const std::size_t least = is_area(lane.lane_class) && lane.width == 0 ? 3 : 2;
    const std::vector<double> numbers = fields.pairs("points", least, -max_street_coordinate, max_street_coordinate);
    for (std::size_t i = 0; i < numbers.size(); i += 2) lane.points.push_back({numbers[i], numbers[i + 1]});
    return lane;
}

QJsonObject to_json(const StreetBox& box) {
    return {{"class", QString::fromStdString(box_classes()[box.box_class])},
            {"center", QJsonArray{thousandths(box.center.x), thousandths(box.center.y), thousandths(box.center.z)}},
            {"size", QJsonArray{thousandths(box.size.width), thousandths(box.size.length), thousandths(box.size.height)}},
            {"yaw", hundredths(box.yaw)}};
}

QJsonObject to_json(const Lane& lane) {
    QJsonArray points;
    for (const Point2& p : lane.points) {
        points.append(thousandths(p.x));
        points.append(thousandths(p.y));
    }
    QJsonObject object{{"class", QString::fromStdString(lane_classes()[lane.lane_class])}, {"points", points}};
    if (lane.width != 0) object["width"] = thousandths(lane.width);
    return object;
}

template <typename T>
QByteArray lines(const std::vector<T>& list) {
    QByteArray text;
    for (const T& each : list) text += (text.isEmpty() ? "" : ",\n  ") + QJsonDocument(to_json(each)).toJson(QJsonDocument::Compact);
    return "[" + text + "]";
}

std::string counted(const std::map<std::string, int>& counts) {
    std::string text;
    for (const auto& [name, count] : counts) text += gpu::format("{}{} {}", text.empty() ? "" : ", ", count, name);
    return text.empty() ? "none" : text;
}

// A street of one kind of things only, for the cache on disk.
StoredValue stored(const Street& street) { return {{{"street", QString::fromUtf8(street_json(street))}, {"ground", street.ground}}, {}}; }
Street restored(const StoredValue& stored) { return parse_street(stored.fields["street"].toString().toUtf8()); }

}  // namespace

const std::vector<std::string>& box_classes() {
    static const std::vector<std::string> names{"car",     "truck",      "construction_vehicle", "bus",        "trailer",
                                                "barrier", "motorcycle", "bicycle",              "pedestrian", "traffic_cone"};
    return names;
}

const std::vector<std::string>& lane_classes() {
    static const std::vector<std::string> names{"drivable_area", "ped_crossing", "walkway", "stop_line", "carpark_area", "road_divider", "lane_divider", "road_block"};
    return names;
}

BoxSize usual_size(std::size_t box_class) {
    static const std::array<BoxSize, 10> sizes{{{1.95, 4.62, 1.73}, {2.51, 6.94, 2.84}, {2.85, 6.37, 3.19}, {2.94, 10.5, 3.47}, {2.9, 12.29, 3.87},
                                                {2.53, 0.5, 0.98}, {0.77, 2.11, 1.47}, {0.6, 1.7, 1.28}, {0.67, 0.73, 1.77}, {0.41, 0.41, 1.07}}};
    return sizes.at(box_class);
}

bool is_area(std::size_t lane_class) { return lane_class != 5 && lane_class != 6; }

double StreetBox::second_yaw() const { return -yaw * degree - std::numbers::pi / 2; }

std::array<Vec3, 8> StreetBox::corners(double origin) const {
    static constexpr int unit[8][3] = {{0, 0, 0}, {0, 0, 1}, {0, 1, 1}, {0, 1, 0}, {1, 0, 0}, {1, 0, 1}, {1, 1, 1}, {1, 1, 0}};
    const double c = std::cos(second_yaw()), s = std::sin(second_yaw());
    std::array<Vec3, 8> all;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const double x = (unit[i][0] - 0.5) * size.width, y = (unit[i][1] - 0.5) * size.length;
        all[i] = center + Vec3{x * c + y * s, y * c - x * s, (unit[i][2] - origin) * size.height};
    }
    return all;
}

std::vector<Point2> Lane::outline(double line_width) const {
    if (width == 0 && is_area(lane_class)) return points;
    const double half = (width > 0 ? width : line_width) / 2;
    std::vector<Point2> line;      // without repeated points, which have no direction
    for (const Point2& p : points)
        if (line.empty() || std::hypot(p.x - line.back().x, p.y - line.back().y) > 1e-9) line.push_back(p);
    if (line.size() < 2) return {};
    const auto normal = [&](std::size_t i) {      // to the left of segment i
        const double dx = line[i + 1].x - line[i].x, dy = line[i + 1].y - line[i].y, far = std::hypot(dx, dy);
        return Point2{-dy / far, dx / far};
    };
    std::vector<Point2> left, right;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const Point2 before = normal(i == 0 ? 0 : i - 1), after = normal(i + 1 == line.size() ? i - 1 : i);
        // Along the mean of both normals, far enough that either side keeps its distance.
        const double mean = 1 + before.x * after.x + before.y * after.y;
        const double by = half / std::max(mean, 1 / most_mitre);
        const Point2 off{(before.x + after.x) * by, (before.y + after.y) * by};
        left.push_back({line[i].x + off.x, line[i].y + off.y});
        right.push_back({line[i].x - off.x, line[i].y - off.y});
    }
    left.insert(left.end(), right.rbegin(), right.rend());
    return left;
}

Street parse_street(const QByteArray& json) {
    Street street;
    if (json.trimmed().isEmpty()) return street;
    const QJsonValue value = parsed_json(json, "street");
    const JsonFields fields(value, "street");
    fields.only({"ground", "boxes", "lanes"});
    street.ground = fields.number("ground", street.ground, -100, 100);
    const QJsonArray boxes = list_of(value.toObject(), "boxes", "street"), lanes = list_of(value.toObject(), "lanes", "street");
    if (boxes.size() > static_cast<qsizetype>(max_boxes)) fields.fail("expected at most {} boxes, got {}", max_boxes, boxes.size());
    if (lanes.size() > static_cast<qsizetype>(max_lanes)) fields.fail("expected at most {} lanes, got {}", max_lanes, lanes.size());
    for (qsizetype i = 0; i < boxes.size(); ++i) street.boxes.push_back(read_box(boxes[i], static_cast<std::size_t>(i), street.ground));
    std::size_t points = 0;
    for (qsizetype i = 0; i < lanes.size(); ++i) {
        street.lanes.push_back(read_lane(lanes[i], static_cast<std::size_t>(i)));
        points += street.lanes.back().points.size();
    }
    if (points > max_lane_points) fields.fail("expected at most {} points of lanes, got {}", max_lane_points, points);
    return street;
}

QByteArray street_json(const Street& street) {
    QByteArray text;
    const auto add = [&](const QByteArray& part) { text += (text.isEmpty() ? "{" : ",\n ") + part; };
    if (street.ground != Street().ground) add("\"ground\": " + QByteArray::number(thousandths(street.ground)));
    if (!street.boxes.empty()) add("\"boxes\": " + lines(street.boxes));
    if (!street.lanes.empty()) add("\"lanes\": " + lines(street.lanes));
    return text.isEmpty() ? text : text + "}";
}

SocketType SocketTraits<Boxes>::describe() {
    return {.title = "Boxes", .colour = "#c7894a", .help = "Boxes of cars, people and other things on a street, with class and heading",
            .bytes = erased<Boxes>([](const Boxes& boxes) { return sizeof(Boxes) + boxes.list->size() * sizeof(StreetBox); }),
            .summary = erased<Boxes>([](const Boxes& boxes) {
                std::map<std::string, int> counts;
                for (const StreetBox& box : *boxes.list) ++counts[box_classes()[box.box_class]];
                return counted(counts);
            }),
            .hash = erased<Boxes>([](const Boxes& boxes) { return gpu::hash_text(street_json({.boxes = *boxes.list}).toStdString()); }),
            .store = erased<Boxes>([](const Boxes& boxes) { return std::optional(stored({.boxes = *boxes.list})); }),
            .restore = [](const StoredValue& stored) { return Value::of<Boxes>({std::make_shared<const std::vector<StreetBox>>(restored(stored).boxes)}); }};
}

SocketType SocketTraits<Lanes>::describe() {
    return {.title = "Lanes", .colour = "#8f9a6b", .help = "What is painted on a street: its areas, crossings and dividers",
            .bytes = erased<Lanes>([](const Lanes& lanes) {
                std::size_t bytes = sizeof(Lanes);
                for (const Lane& lane : *lanes.list) bytes += sizeof(Lane) + lane.points.size() * sizeof(Point2);
                return bytes;
            }),
            .summary = erased<Lanes>([](const Lanes& lanes) {
                std::map<std::string, int> counts;
                for (const Lane& lane : *lanes.list) ++counts[lane_classes()[lane.lane_class]];
                return counted(counts);
            }),
            .hash = erased<Lanes>([](const Lanes& lanes) { return gpu::hash_text(street_json({.ground = lanes.ground, .lanes = *lanes.list}).toStdString()); }),
            .store = erased<Lanes>([](const Lanes& lanes) { return std::optional(stored({.ground = lanes.ground, .lanes = *lanes.list})); }),
            .restore = [](const StoredValue& stored) {
                Street street = restored(stored);
                return Value::of<Lanes>({std::make_shared<const std::vector<Lane>>(std::move(street.lanes)), street.ground});
            }};
}

}  // namespace nodes
