#include "app/panels/street_model.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "gpu/base/error.h"
#include "nodes/core/direct_edit.h"

namespace app {
namespace {

using nodes::Camera;
using nodes::Lane;
using nodes::Point2;
using nodes::Street;
using nodes::StreetBox;
using nodes::Vec3;

double centimetres(double value) { return std::clamp(std::round(value * 100) / 100, -nodes::max_street_coordinate, nodes::max_street_coordinate); }
double tenths(double value) { return std::round(value * 10) / 10; }
double wrapped(double degrees) { return tenths(std::remainder(degrees, 360)); }
Vec3 rounded(const Vec3& at) { return {centimetres(at.x), centimetres(at.y), centimetres(at.z)}; }

// The name of the parameter that holds a street, or cameras.
template <typename Edit>
std::string param_of(const nodes::Node* type) {
    for (const nodes::DirectEdit& edit : nodes::direct_edits_of(type))
        if (const auto* found = std::get_if<Edit>(&edit)) {
            if constexpr (std::is_same_v<Edit, nodes::StreetEdit>)
                return found->scene;
            else
                return found->cameras;
        }
    return {};
}

}  // namespace

StreetModel::StreetModel(GraphModel& model, QObject* parent) : QObject(parent), model_(model), cameras_(nodes::default_cameras()) {
    connect(&model_, &GraphModel::edited, this, &StreetModel::refresh);
    connect(&model_, &GraphModel::reset, this, [this] { show_node({}); });
    connect(&model_, &GraphModel::level_changed, this, [this] { show_node({}); });
    connect(&model_, &GraphModel::node_renamed, this, [this](const NodeId& from, const NodeId& to) {
        for (NodeId* id : {&street_node_, &cameras_node_})
            if (*id == from) *id = to;
    });
}

StreetModel::Role StreetModel::role_of(const NodeId& id) const {
    const nodes::Node* type = id.empty() || !model_.contains(id) ? nullptr : model_.declaration(id);
    if (!param_of<nodes::StreetEdit>(type).empty()) return Role::Street;
    return param_of<nodes::CamerasEdit>(type).empty() ? Role::None : Role::Cameras;
}

// One that feeds what this one feeds, else any.
NodeId StreetModel::partner_of(const NodeId& id, Role wanted) const {
    for (const LinkId& out : model_.links_of(id)) {
        if (out.from.node != id) continue;
        for (const LinkId& in : model_.links_of(out.to.node))
            if (in.to.node == out.to.node && role_of(in.from.node) == wanted) return in.from.node;
    }
    for (const NodeId& other : model_.node_ids())
        if (role_of(other) == wanted) return other;
    return {};
}

void StreetModel::show_node(const NodeId& id) {
    const bool was = active();
    const Role role = role_of(id);
    street_node_ = role == Role::Street ? id : role == Role::Cameras ? partner_of(id, Role::Street) : NodeId();
    cameras_node_ = role == Role::Cameras ? id : role == Role::Street ? partner_of(id, Role::Cameras) : NodeId();
    street_text_ = cameras_text_ = QStringLiteral("?");
    read();
    if (role == Role::Cameras && chosen_.kind != Kind::Camera && edits_cameras()) choose({Kind::Camera, 0});
    if (was != active()) emit active_changed();
}

void StreetModel::refresh() {
    if (!active()) return;
    const NodeId one = role_of(street_node_) == Role::Street ? street_node_ : NodeId(), other = role_of(cameras_node_) == Role::Cameras ? cameras_node_ : NodeId();
    if (one.empty() && other.empty()) return show_node({});
    street_node_ = one.empty() ? partner_of(other, Role::Street) : one;
    cameras_node_ = other.empty() ? partner_of(one, Role::Cameras) : other;
    read();
}

void StreetModel::read() {
    const auto text_of = [&](const NodeId& node, const std::string& param, QString& problem) {
        problem.clear();
        if (node.empty()) return QString();
        const QJsonValue value = model_.param(node, param);
        if (value.isObject()) problem = tr("It is computed by an expression");
        return value.isObject() ? QStringLiteral("=") : value.toString();
    };
    QString problem;
    bool differs = false;
    const QString street = text_of(street_node_, param_of<nodes::StreetEdit>(street_node_.empty() ? nullptr : model_.declaration(street_node_)), problem);
    if (street != street_text_) {
        street_text_ = street, street_problem_ = problem, street_ = {}, differs = true;
        try {
            if (problem.isEmpty()) street_ = nodes::parse_street(street.toUtf8());
        } catch (const gpu::Error& error) {
            street_problem_ = QString::fromUtf8(error.what());
        }
    }
    const QString cameras = text_of(cameras_node_, param_of<nodes::CamerasEdit>(cameras_node_.empty() ? nullptr : model_.declaration(cameras_node_)), problem);
    if (cameras != cameras_text_) {
        cameras_text_ = cameras, cameras_problem_ = problem, cameras_ = nodes::default_cameras(), differs = true;
        try {
            if (problem.isEmpty()) cameras_ = nodes::parse_cameras(cameras.toUtf8());
        } catch (const gpu::Error& error) {
            cameras_problem_ = QString::fromUtf8(error.what());
        }
    }
    if (!differs) return;
    keep_choice();
    emit changed();
}

void StreetModel::write_street(Gesture gesture) {
    street_text_ = QString::fromUtf8(nodes::street_json(street_));
    const std::string param = param_of<nodes::StreetEdit>(model_.declaration(street_node_));
    model_.set_param(street_node_, param, street_text_, gesture);
    keep_choice();
    emit changed();
}

void StreetModel::write_cameras(Gesture gesture) {
    cameras_text_ = QString::fromUtf8(nodes::cameras_json(cameras_));
    const std::string param = param_of<nodes::CamerasEdit>(model_.declaration(cameras_node_));
    model_.set_param(cameras_node_, param, cameras_text_, gesture);
    keep_choice();
    emit changed();
}

nodes::Lanes StreetModel::lanes() const { return {std::make_shared<const std::vector<Lane>>(street_.lanes), street_.ground}; }

// --- what is chosen ---

void StreetModel::keep_choice() {
    const int count = static_cast<int>(chosen_.kind == Kind::Box      ? street_.boxes.size()
                                       : chosen_.kind == Kind::Lane   ? street_.lanes.size()
                                       : chosen_.kind == Kind::Camera ? cameras_.size()
                                                                      : 0);
    Choice kept = chosen_.index < count ? chosen_ : Choice();
    if (kept.kind == Kind::Lane && kept.point >= static_cast<int>(street_.lanes[static_cast<std::size_t>(kept.index)].points.size())) kept.point = -1;
    choose(kept);
}

void StreetModel::choose(const Choice& choice) {
    if (choice == chosen_) return;
    chosen_ = choice;
    emit chosen_changed();
}

void StreetModel::choose_next(int by) {
    std::vector<Choice> all;
    for (int i = 0; i < static_cast<int>(street_.boxes.size()); ++i) all.push_back({Kind::Box, i});
    for (int i = 0; i < static_cast<int>(street_.lanes.size()); ++i) all.push_back({Kind::Lane, i});
    for (int i = 0; i < static_cast<int>(cameras_.size()); ++i) all.push_back({Kind::Camera, i});
    const int count = static_cast<int>(all.size());
    const auto at = std::ranges::find(all, Choice{chosen_.kind, chosen_.index});
    const int next = at == all.end() ? (by > 0 ? 0 : count - 1) : (static_cast<int>(at - all.begin()) + by + count) % count;
    if (count > 0) choose(all[static_cast<std::size_t>(next)]);
}

const StreetBox* StreetModel::chosen_box() const { return chosen_.kind == Kind::Box ? &street_.boxes.at(static_cast<std::size_t>(chosen_.index)) : nullptr; }
const Lane* StreetModel::chosen_lane() const { return chosen_.kind == Kind::Lane ? &street_.lanes.at(static_cast<std::size_t>(chosen_.index)) : nullptr; }
const Camera* StreetModel::chosen_camera() const { return chosen_.kind == Kind::Camera ? &cameras_.at(static_cast<std::size_t>(chosen_.index)) : nullptr; }

// --- edits ---

void StreetModel::add_box(std::size_t box_class, Point2 at, Gesture gesture) {
    if (!edits_street() || street_.boxes.size() >= nodes::max_boxes) return;
    const nodes::BoxSize size = nodes::usual_size(box_class);
    street_.boxes.push_back({.box_class = box_class, .center = rounded({at.x, at.y, street_.ground + size.height / 2}), .size = size});
    chosen_ = {Kind::Box, static_cast<int>(street_.boxes.size()) - 1};
    write_street(gesture);
    emit chosen_changed();
}

void StreetModel::add_lane(const Lane& lane) {
    if (!edits_street() || street_.lanes.size() >= nodes::max_lanes) return;
    street_.lanes.push_back(lane);
    for (Point2& p : street_.lanes.back().points) p = {centimetres(p.x), centimetres(p.y)};
    chosen_ = {Kind::Lane, static_cast<int>(street_.lanes.size()) - 1};
    write_street(Gesture::none());
    emit chosen_changed();
}

void StreetModel::insert(Camera camera, Gesture gesture) {
    if (!may_add_camera()) return;
    const auto taken = [&](const std::string& name) { return std::ranges::find(cameras_, name, &Camera::name) != cameras_.end(); };
    for (std::size_t number = cameras_.size() + 1; taken(camera.name); ++number) camera.name = "camera" + std::to_string(number);
    camera.position = rounded(camera.position);
    camera.yaw = wrapped(camera.yaw);
    cameras_.push_back(std::move(camera));
    chosen_ = {Kind::Camera, static_cast<int>(cameras_.size()) - 1};
    write_cameras(gesture);
    emit chosen_changed();
}

void StreetModel::add_camera(Point2 at, Gesture gesture) {
    Camera camera = chosen_camera() ? *chosen_camera() : cameras_.back();
    camera.position.x = at.x, camera.position.y = at.y;
    camera.yaw = std::hypot(at.x, at.y) > 0.1 ? std::round(std::atan2(at.y, at.x) * 180 / std::numbers::pi) : 90;
    insert(std::move(camera), gesture);
}

void StreetModel::add_camera() {
    if (!chosen_camera()) return add_camera({0, 0});
    Camera camera = *chosen_camera();
    camera.yaw += 45;
    insert(std::move(camera), Gesture::none());
}

void StreetModel::set_box(int index, StreetBox box, Gesture gesture) {
    if (!edits_street()) return;
    const auto side = [](double value) { return std::clamp(std::round(value * 100) / 100, 0.1, 100.0); };
    box.center = rounded(box.center);
    box.size = {side(box.size.width), side(box.size.length), side(box.size.height)};
    box.yaw = wrapped(box.yaw);
    StreetBox& now = street_.boxes.at(static_cast<std::size_t>(index));
    if (box == now) return;
    now = box;
    write_street(gesture);
}

void StreetModel::set_lane(int index, Lane lane, Gesture gesture) {
    if (!edits_street()) return;
    for (Point2& p : lane.points) p = {centimetres(p.x), centimetres(p.y)};
    lane.width = std::clamp(std::round(lane.width * 100) / 100, 0.0, 100.0);
    // An area needs three points, a band or a line two.
    if (lane.points.size() < (nodes::is_area(lane.lane_class) && lane.width == 0 ? 3u : 2u)) return;
    Lane& now = street_.lanes.at(static_cast<std::size_t>(index));
    if (lane == now) return;
    now = lane;
    write_street(gesture);
}

void StreetModel::set_camera(int index, Camera camera, Gesture gesture) {
    if (!edits_cameras()) return;
    camera.position = rounded(camera.position);
    camera.yaw = wrapped(camera.yaw);
    camera.pitch = std::clamp(tenths(camera.pitch), -90.0, 90.0);
    camera.roll = std::clamp(tenths(camera.roll), -180.0, 180.0);
    Camera& now = cameras_.at(static_cast<std::size_t>(index));
    if (camera == now) return;
    now = camera;
    write_cameras(gesture);
}

void StreetModel::move_chosen(const Vec3& by, Gesture gesture) {
    if (const StreetBox* box = chosen_box()) {
        StreetBox moved = *box;
        moved.center = moved.center + by;
        set_box(chosen_.index, moved, gesture);
    } else if (const Lane* lane = chosen_lane()) {
        Lane moved = *lane;
        for (std::size_t i = 0; i < moved.points.size(); ++i)
            if (chosen_.point < 0 || chosen_.point == static_cast<int>(i)) moved.points[i] = {moved.points[i].x + by.x, moved.points[i].y + by.y};
        set_lane(chosen_.index, moved, gesture);
    } else if (const Camera* camera = chosen_camera()) {
        Camera moved = *camera;
        moved.position = moved.position + by;
        set_camera(chosen_.index, moved, gesture);
    }
}

void StreetModel::turn_chosen(double yaw, double pitch, Gesture gesture) {
    if (const StreetBox* box = chosen_box()) {
        StreetBox turned = *box;
        turned.yaw += yaw;
        set_box(chosen_.index, turned, gesture);
    } else if (const Camera* camera = chosen_camera()) {
        Camera turned = *camera;
        turned.yaw += yaw, turned.pitch += pitch;
        set_camera(chosen_.index, turned, gesture);
    }
}

void StreetModel::remove_chosen() {
    const auto at = static_cast<std::ptrdiff_t>(chosen_.index);
    if (const Lane* lane = chosen_lane(); lane && chosen_.point >= 0) {
        Lane less = *lane;
        less.points.erase(less.points.begin() + chosen_.point);
        return set_lane(chosen_.index, less);
    }
    const Kind kind = chosen_.kind;
    if (!may_remove_chosen()) return;
    choose({});
    if (kind == Kind::Box) street_.boxes.erase(street_.boxes.begin() + at);
    if (kind == Kind::Lane) street_.lanes.erase(street_.lanes.begin() + at);
    if (kind == Kind::Camera) cameras_.erase(cameras_.begin() + at);
    kind == Kind::Camera ? write_cameras(Gesture::none()) : write_street(Gesture::none());
}

// A rig has one camera at least.
bool StreetModel::may_remove_chosen() const {
    if (chosen_.kind == Kind::Camera) return edits_cameras() && cameras_.size() > 1;
    return chosen_.kind != Kind::None && edits_street();
}

bool StreetModel::wants_key(const QKeyEvent& event) {
    if (event.modifiers() & (Qt::ControlModifier | Qt::AltModifier)) return false;
    switch (event.key()) {
        case Qt::Key_Left:
        case Qt::Key_Right:
        case Qt::Key_Up:
        case Qt::Key_Down:
        case Qt::Key_PageUp:
        case Qt::Key_PageDown:
        case Qt::Key_Home:
        case Qt::Key_Plus:
        case Qt::Key_Equal:
        case Qt::Key_Minus:
        case Qt::Key_Insert:
        case Qt::Key_Delete:
        case Qt::Key_Backspace:
        case Qt::Key_Escape:
        case Qt::Key_Return:
        case Qt::Key_Enter:
        case Qt::Key_BracketLeft:
        case Qt::Key_BracketRight:
        case Qt::Key_BraceLeft:
        case Qt::Key_BraceRight:
        case Qt::Key_Comma:
        case Qt::Key_Period: return true;
        default: return false;
    }
}

bool StreetModel::key(const QKeyEvent& event) {
    const double step = event.modifiers() & Qt::ShiftModifier ? 2 : 0.2;
    const bool any = chosen_.kind != Kind::None;
    switch (event.key()) {
        case Qt::Key_PageUp: return choose_next(-1), true;
        case Qt::Key_PageDown: return choose_next(1), true;
        case Qt::Key_Left: return move_chosen({-step, 0, 0}), any;
        case Qt::Key_Right: return move_chosen({step, 0, 0}), any;
        case Qt::Key_Up: return move_chosen({0, step, 0}), any;
        case Qt::Key_Down: return move_chosen({0, -step, 0}), any;
        case Qt::Key_BracketLeft: return turn_chosen(5, 0), any;
        case Qt::Key_BracketRight: return turn_chosen(-5, 0), any;
        case Qt::Key_BraceLeft: return turn_chosen(45, 0), any;
        case Qt::Key_BraceRight: return turn_chosen(-45, 0), any;
        case Qt::Key_Comma: return turn_chosen(0, -1), any;
        case Qt::Key_Period: return turn_chosen(0, 1), any;
        case Qt::Key_Insert: return add_camera(), true;
        case Qt::Key_Delete:
        case Qt::Key_Backspace: return remove_chosen(), any;
        case Qt::Key_Escape: return choose({}), any;
        default: return false;
    }
}

}  // namespace app
