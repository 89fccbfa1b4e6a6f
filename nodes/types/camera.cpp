#include "nodes/types/camera.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <algorithm>
#include <numbers>

#include "gpu/base/error.h"
#include "nodes/types/json_fields.h"

namespace nodes {
namespace {

constexpr double degree = std::numbers::pi / 180;
constexpr double rotation_tolerance = 1e-3;

Vec3 level_right(double yaw) { return {std::sin(yaw), -std::cos(yaw), 0}; }

Camera read_camera(const QJsonValue& value, std::size_t index) {
    const QString name = value.toObject()[QStringLiteral("name")].toString();
    const JsonFields fields(value, gpu::format("cameras: camera {}{}", index, name.isEmpty() ? "" : " (" + name.toStdString() + ")"));
    fields.only({"name", "position", "yaw", "pitch", "roll", "cam2lidar", "K", "fov", "size"});
    Camera camera{.name = fields.text("name", gpu::format("camera{}", index))};
    if (const auto size = fields.numbers("size", {2}, 8, 16384)) camera.width = static_cast<int>((*size)[0]), camera.height = static_cast<int>((*size)[1]);
    camera.cx = camera.width / 2.0, camera.cy = camera.height / 2.0;
    camera.fx = camera.fy = 1266 * camera.width / 1600.0;
    if (fields.has("fov")) {
        if (fields.has("K")) fields.fail("expected K or fov, got both");
        camera.fx = camera.fy = camera.cx / std::tan(fields.number("fov", 65, 1, 170) / 2 * degree);
    }
    if (const auto k = fields.numbers("K", {4, 9}, -1e6, 1e6)) {
        const auto& m = *k;
        if (m.size() == 9 && (m[1] != 0 || m[3] != 0 || m[6] != 0 || m[7] != 0 || m[8] != 1)) fields.fail("expected K = [fx 0 cx; 0 fy cy; 0 0 1], got another matrix");
        camera.fx = m[0], camera.fy = m.size() == 9 ? m[4] : m[1], camera.cx = m[2], camera.cy = m.size() == 9 ? m[5] : m[3];
        if (camera.fx < 1 || camera.fy < 1) fields.fail("expected focal lengths of at least 1 px in K, got {} and {}", camera.fx, camera.fy);
    }
    if (const auto m = fields.numbers("cam2lidar", {12, 16}, -max_street_coordinate, max_street_coordinate)) {
        for (const char* other : {"position", "yaw", "pitch", "roll"})
            if (fields.has(other)) fields.fail("expected cam2lidar or {}, got both", other);
        const auto column = [&](std::size_t c) { return Vec3{(*m)[c], (*m)[4 + c], (*m)[8 + c]}; };
        const Vec3 right = column(0), down = column(1), forward = column(2);
        const double off = std::max({length(cross(right, down) - forward), std::abs(length(right) - 1), std::abs(length(down) - 1), std::abs(dot(right, down))});
        if (off > rotation_tolerance) fields.fail("expected a rotation in the left three columns of cam2lidar, got one that is off by {}", off);
        camera.position = column(3);
        set_rotation(camera, right, forward);
        return camera;
    }
    if (const auto at = fields.numbers("position", {3}, -max_street_coordinate, max_street_coordinate)) camera.position = {(*at)[0], (*at)[1], (*at)[2]};
    camera.yaw = fields.number("yaw", 90, -360, 360);
    camera.pitch = fields.number("pitch", 0, -90, 90);
    camera.roll = fields.number("roll", 0, -180, 180);
    return camera;
}

double rounded(double value) { return std::round(value * 1e6) / 1e6; }

QJsonObject to_json(const Camera& camera) {
    QJsonObject object{{"name", QString::fromStdString(camera.name)},
                       {"position", QJsonArray{rounded(camera.position.x), rounded(camera.position.y), rounded(camera.position.z)}},
                       {"yaw", rounded(camera.yaw)},
                       {"K", QJsonArray{rounded(camera.fx), rounded(camera.fy), rounded(camera.cx), rounded(camera.cy)}},
                       {"size", QJsonArray{camera.width, camera.height}}};
    if (camera.pitch != 0) object["pitch"] = rounded(camera.pitch);
    if (camera.roll != 0) object["roll"] = rounded(camera.roll);
    return object;
}

}  // namespace

Camera Camera::resized(int to_width, int to_height) const {
    const double scale = std::max(double(to_width) / width, double(to_height) / height);
    Camera made = *this;
    made.width = to_width, made.height = to_height;
    made.fx *= scale, made.fy *= scale;
    made.cx = cx * scale - (width * scale - to_width) / 2;
    made.cy = cy * scale - (height * scale - to_height);
    return made;
}

std::array<float, 21> Camera::parameters() const {
    const Projection p(*this);
    const double rows[3][7] = {{fx, 0, cx, p.right().x, p.down().x, p.forward().x, position.x},
                               {0, fy, cy, p.right().y, p.down().y, p.forward().y, position.y},
                               {0, 0, 1, p.right().z, p.down().z, p.forward().z, position.z}};
    std::array<float, 21> all;
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<float>(rows[i / 7][i % 7]);
    return all;
}

Projection::Projection(const Camera& camera) : camera_(camera) {
    const double yaw = camera.yaw * degree, pitch = camera.pitch * degree, roll = camera.roll * degree;
    forward_ = {std::cos(pitch) * std::cos(yaw), std::cos(pitch) * std::sin(yaw), std::sin(pitch)};
    const Vec3 right = level_right(yaw), down = cross(forward_, right);
    right_ = right * std::cos(roll) + down * std::sin(roll);
    down_ = down * std::cos(roll) - right * std::sin(roll);
}

Vec3 Projection::to_camera(const Vec3& lidar) const {
    const Vec3 from = lidar - camera_.position;
    return {dot(from, right_), dot(from, down_), dot(from, forward_)};
}

Vec3 Projection::to_lidar(const Vec3& camera) const { return right_ * camera.x + down_ * camera.y + forward_ * camera.z + camera_.position; }

Vec3 Projection::to_pixel(const Vec3& lidar) const {
    const Vec3 at = to_camera(lidar);
    const double z = std::max(at.z, 1e-5);
    return {camera_.fx * at.x / z + camera_.cx, camera_.fy * at.y / z + camera_.cy, at.z};
}

Vec3 Projection::ray(double u, double v) const { return right_ * ((u - camera_.cx) / camera_.fx) + down_ * ((v - camera_.cy) / camera_.fy) + forward_; }

void set_rotation(Camera& camera, const Vec3& right, const Vec3& forward) {
    // Looking straight up or down, yaw and roll are one: all of it is yaw.
    const bool steep = std::hypot(forward.x, forward.y) < 1e-9;
    const double yaw = steep ? std::atan2(right.x, -right.y) : std::atan2(forward.y, forward.x);
    const Vec3 level = level_right(yaw);
    camera.yaw = yaw / degree;
    camera.pitch = std::asin(std::clamp(forward.z, -1.0, 1.0)) / degree;
    camera.roll = steep ? 0 : std::atan2(dot(right, cross(forward, level)), dot(right, level)) / degree;
}

std::vector<Camera> parse_cameras(const QByteArray& json) {
    if (json.trimmed().isEmpty()) return default_cameras();
    const QJsonValue value = parsed_json(json, "cameras");
    gpu::check(value.isArray(), gpu::ErrorCode::InvalidGraph, "cameras: expected a list of cameras, got an object");
    const QJsonArray list = value.toArray();
    gpu::check(!list.isEmpty() && list.size() <= static_cast<qsizetype>(max_cameras), gpu::ErrorCode::InvalidGraph, "cameras: expected 1 to {} cameras, got {}",
               max_cameras, list.size());
    std::vector<Camera> cameras;
    for (qsizetype i = 0; i < list.size(); ++i) cameras.push_back(read_camera(list[i], static_cast<std::size_t>(i)));
    return cameras;
}

QByteArray cameras_json(const std::vector<Camera>& cameras) {
    QByteArray text;
    for (const Camera& camera : cameras) text += (text.isEmpty() ? "[" : ",\n ") + QJsonDocument(to_json(camera)).toJson(QJsonDocument::Compact);
    return text + "]";
}

std::vector<Camera> default_cameras() {
    const auto camera = [](const char* name, double focal, Vec3 position, double yaw) {
        return Camera{.name = name, .fx = focal, .fy = focal, .position = position, .yaw = yaw};
    };
    return {camera("front_left", 1272, {-0.49, 0.58, -0.33}, 145), camera("front", 1266, {0, 0.76, -0.33}, 90),       camera("front_right", 1260, {0.49, 0.61, -0.34}, 35),
            camera("back_right", 1259, {0.48, 0.08, -0.28}, -20),  camera("back", 809, {0, -0.91, -0.26}, -90), camera("back_left", 1256, {-0.48, 0.1, -0.25}, 200)};
}

SocketType SocketTraits<Cameras>::describe() {
    const auto text = [](const Cameras& cameras) { return cameras_json(*cameras.list); };
    return {.title = "Cameras", .colour = "#4f9aa8", .help = "Pinhole cameras: where they are, how they are turned, and their focal lengths",
            .bytes = erased<Cameras>([](const Cameras& cameras) { return sizeof(Cameras) + cameras.list->size() * sizeof(Camera); }),
            .summary = erased<Cameras>([](const Cameras& cameras) {
                const Camera& first = cameras.list->front();
                const std::string count = cameras.list->size() == 1 ? "1 camera" : gpu::format("{} cameras", cameras.list->size());
                return gpu::format("{}, {} x {}", count, first.width, first.height);
            }),
            .hash = erased<Cameras>([text](const Cameras& cameras) { return gpu::hash_text(text(cameras).toStdString()); }),
            .store = erased<Cameras>([text](const Cameras& cameras) { return std::optional(StoredValue{{{"cameras", QString::fromUtf8(text(cameras))}}, {}}); }),
            .restore = [](const StoredValue& stored) {
                return Value::of<Cameras>({std::make_shared<const std::vector<Camera>>(parse_cameras(stored.fields["cameras"].toString().toUtf8()))});
            }};
}

}  // namespace nodes
