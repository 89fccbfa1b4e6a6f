#include "nodes/types/pose.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <algorithm>
#include <cmath>
#include <map>

#include "gpu/base/error.h"
#include "gpu/base/format.h"

namespace nodes {
namespace {

using gpu::ErrorCode;

// For each point of COCO-18 its place in the other skeletons; -1: none.
constexpr int body25_of_coco18[18] = {0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};
constexpr int coco17_of_coco18[18] = {0, -1, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3};
constexpr int neck = 1, right_shoulder = 2, left_shoulder = 5;      // of COCO-18

template <typename... Args>
[[noreturn]] void bad(std::string_view text, const Args&... args) {
    throw gpu::Error(ErrorCode::BadFile, "pose: " + gpu::format(text, args...));
}

const char* kind_of(const QJsonValue& value) {
    switch (value.type()) {
        case QJsonValue::Null: return "null";
        case QJsonValue::Bool: return "a truth value";
        case QJsonValue::Double: return "a number";
        case QJsonValue::String: return "text";
        case QJsonValue::Array: return "a list";
        case QJsonValue::Object: return "an object";
        case QJsonValue::Undefined: break;
    }
    return "nothing";
}

// [x, y, score, ...]; nothing and null are an empty list.
std::vector<Keypoint> keypoints(const QJsonObject& person, const QString& key, const std::string& where) {
    const QJsonValue value = person[key];
    if (value.isUndefined() || value.isNull()) return {};
    const std::string name = where + "." + key.toStdString();
    if (!value.isArray()) bad("{}: expected a list of numbers, got {}", name, kind_of(value));
    const QJsonArray list = value.toArray();
    if (list.size() % 3) bad("{}: expected x, y and score for each point, got {} numbers", name, list.size());
    std::vector<Keypoint> points;
    for (qsizetype i = 0; i < list.size(); i += 3) {
        for (qsizetype j = i; j < i + 3; ++j)
            if (!list[j].isDouble()) bad("{}[{}]: expected a number, got {}", name, j, kind_of(list[j]));
        points.push_back({list[i].toDouble(), list[i + 1].toDouble(), list[i + 2].toDouble()});
        if (std::max(std::abs(points.back().x), std::abs(points.back().y)) > 1e6)
            bad("{}[{}]: expected coordinates of at most 1000000, got {}, {}", name, i, points.back().x, points.back().y);
    }
    return points;
}

Skeleton skeleton_of(std::size_t count, const std::string& where) {
    switch (count) {
        case 0: return Skeleton::None;
        case 17: return Skeleton::Coco17;
        case 18: return Skeleton::Coco18;
        case 25: return Skeleton::Body25;
        default: bad("{}: expected 17, 18 or 25 points of the body, got {}", where, count);
    }
}

Person read_person(const QJsonValue& value, const std::string& where) {
    if (!value.isObject()) bad("{}: expected an object, got {}", where, kind_of(value));
    const QJsonObject object = value.toObject();
    Person person;
    const bool coco = object.contains("keypoints");
    person.body = keypoints(object, coco ? "keypoints" : "pose_keypoints_2d", where);
    person.skeleton = skeleton_of(person.body.size(), where);
    person.left_hand = keypoints(object, "hand_left_keypoints_2d", where);
    person.right_hand = keypoints(object, "hand_right_keypoints_2d", where);
    person.face = keypoints(object, "face_keypoints_2d", where);
    for (const auto* hand : {&person.left_hand, &person.right_hand})
        if (!hand->empty() && hand->size() != 21) bad("{}: expected 21 points of a hand, got {}", where, hand->size());
    return person;
}

double side(const QJsonObject& object, const QString& key, const std::string& where) {
    const QJsonValue value = object[key];
    if (value.isUndefined() || value.isNull()) return 0;
    if (!(value.toDouble() >= 1 && value.toDouble() <= 65536))
        bad("{}.{}: expected 1 to 65536, got {}", where, key.toStdString(), value.isDouble() ? gpu::format("{}", value.toDouble()) : kind_of(value));
    return value.toDouble();
}

// Fractions are told from pixels by their size: a person is never smaller than a pixel.
bool are_fractions(const PoseFrame& frame) {
    bool any = false;
    for (const Person& person : frame.people)
        for (const auto* points : {&person.body, &person.left_hand, &person.right_hand, &person.face})
            for (const Keypoint& point : *points) {
                if (point.score <= 0) continue;
                if (std::abs(point.x) > 2 || std::abs(point.y) > 2) return false;      // some lie outside the picture
                any = true;
            }
    return any;
}

PoseFrame read_frame(const QJsonObject& object, const std::string& where) {
    if (!object["people"].isArray()) bad("{}.people: expected a list, got {}", where, kind_of(object["people"]));
    PoseFrame frame{side(object, "canvas_width", where), side(object, "canvas_height", where), {}};
    const QJsonArray people = object["people"].toArray();
    for (qsizetype i = 0; i < people.size(); ++i) frame.people.push_back(read_person(people[i], gpu::format("{}.people[{}]", where, i)));
    if (are_fractions(frame)) {
        // The canvas still tells the picture's size.
        const double w = frame.width > 0 ? frame.width : 1, h = frame.height > 0 ? frame.height : 1;
        for (Person& person : frame.people)
            for (auto* points : {&person.body, &person.left_hand, &person.right_hand, &person.face})
                for (Keypoint& point : *points) point.x *= w, point.y *= h;
        frame.width = w, frame.height = h;
    }
    return frame;
}

// COCO: a person each, gathered by picture in the order in which pictures appear.
std::vector<PoseFrame> read_annotations(const QJsonArray& annotations, const QJsonArray& images) {
    std::vector<PoseFrame> frames;
    std::map<QString, std::size_t> by_id;
    const auto frame_of = [&](const QJsonValue& id) -> PoseFrame& {
        const auto [at, added] = by_id.try_emplace(id.toVariant().toString(), frames.size());
        if (added) frames.emplace_back();
        return frames[at->second];
    };
    for (qsizetype i = 0; i < images.size(); ++i) {
        const std::string where = gpu::format("images[{}]", i);
        const QJsonObject image = images[i].toObject();
        PoseFrame& frame = frame_of(image["id"]);
        frame.width = side(image, "width", where);
        frame.height = side(image, "height", where);
    }
    for (qsizetype i = 0; i < annotations.size(); ++i)
        frame_of(annotations[i].toObject()["image_id"]).people.push_back(read_person(annotations[i], gpu::format("annotations[{}]", i)));
    return frames;
}

std::vector<PoseFrame> read_frames(const QJsonArray& list) {
    if (list.isEmpty()) bad("expected frames or annotations, got an empty list");
    if (list[0].toObject().contains("keypoints")) return read_annotations(list, {});
    std::vector<PoseFrame> frames;
    for (qsizetype i = 0; i < list.size(); ++i) {
        const std::string where = gpu::format("frame {}", i);
        if (!list[i].isObject()) bad("{}: expected an object, got {}", where, kind_of(list[i]));
        frames.push_back(read_frame(list[i].toObject(), where));
    }
    return frames;
}

QJsonArray numbers(const std::vector<Keypoint>& points) {
    QJsonArray list;
    for (const Keypoint& point : points) {
        list.append(point.x);
        list.append(point.y);
        list.append(point.score);
    }
    return list;
}

}  // namespace

std::array<Keypoint, 18> Person::coco18() const {
    std::array<Keypoint, 18> points;
    if (skeleton == Skeleton::None) return points;
    for (std::size_t i = 0; i < points.size(); ++i) {
        const int at = skeleton == Skeleton::Coco17 ? coco17_of_coco18[i] : skeleton == Skeleton::Body25 ? body25_of_coco18[i] : static_cast<int>(i);
        if (at >= 0) points[i] = body[static_cast<std::size_t>(at)];
    }
    if (skeleton == Skeleton::Coco17) {
        const Keypoint &r = points[right_shoulder], &l = points[left_shoulder];
        if (r.score > 0 && l.score > 0) points[neck] = {(r.x + l.x) / 2, (r.y + l.y) / 2, std::min(r.score, l.score)};
    }
    return points;
}

std::array<Keypoint, 17> Person::coco17() const {
    std::array<Keypoint, 17> points;
    const std::array<Keypoint, 18> all = coco18();
    for (std::size_t i = 0; i < all.size(); ++i)
        if (coco17_of_coco18[i] >= 0) points[static_cast<std::size_t>(coco17_of_coco18[i])] = all[i];
    return points;
}

Pose parse_pose(const QByteArray& json) {
    QJsonParseError error;
    const QJsonDocument document = QJsonDocument::fromJson(json, &error);
    if (error.error != QJsonParseError::NoError) bad("expected JSON, got an error at byte {}: {}", error.offset, error.errorString().toStdString());
    std::vector<PoseFrame> frames;
    if (document.isArray())
        frames = read_frames(document.array());
    else if (document.object()["annotations"].isArray())
        frames = read_annotations(document.object()["annotations"].toArray(), document.object()["images"].toArray());
    else if (document.object().contains("people"))
        frames = {read_frame(document.object(), "pose")};
    else
        bad("expected \"people\" or \"annotations\", got an object without");
    if (frames.empty()) bad("expected at least one picture with keypoints, got none");
    return {std::make_shared<const std::vector<PoseFrame>>(std::move(frames))};
}

QJsonArray to_json(const Pose& pose) {
    QJsonArray list;
    for (const PoseFrame& frame : *pose.frames) {
        QJsonArray people;
        for (const Person& person : frame.people)
            people.append(QJsonObject{{"pose_keypoints_2d", numbers(person.body)},
                                      {"hand_left_keypoints_2d", numbers(person.left_hand)},
                                      {"hand_right_keypoints_2d", numbers(person.right_hand)},
                                      {"face_keypoints_2d", numbers(person.face)}});
        QJsonObject object{{"people", people}};
        if (frame.width >= 1) object["canvas_width"] = frame.width;
        if (frame.height >= 1) object["canvas_height"] = frame.height;
        list.append(object);
    }
    return list;
}

SocketType SocketTraits<Pose>::describe() {
    const auto text = [](const Pose& pose) { return QJsonDocument(to_json(pose)).toJson(QJsonDocument::Compact); };
    return {.title = "Pose", .colour = "#c76b5a", .help = "Keypoints of people, for each frame",
            .bytes = erased<Pose>([](const Pose& pose) {
                std::size_t points = 0;
                for (const PoseFrame& frame : *pose.frames)
                    for (const Person& p : frame.people) points += p.body.size() + p.left_hand.size() + p.right_hand.size() + p.face.size();
                return sizeof(Pose) + points * sizeof(Keypoint);
            }),
            .summary = erased<Pose>([](const Pose& pose) {
                std::size_t people = 0;
                for (const PoseFrame& frame : *pose.frames) people = std::max(people, frame.people.size());
                return gpu::format("{} {}, up to {} {}", pose.frames->size(), pose.frames->size() == 1 ? "frame" : "frames", people,
                                   people == 1 ? "person" : "people");
            }),
            .hash = erased<Pose>([text](const Pose& pose) { return gpu::hash_text(text(pose).toStdString()); }),
            .collect = [](const std::vector<Value>& values) {
                std::vector<PoseFrame> all;
                for (const Value& value : values) all.insert(all.end(), value.get<Pose>()->frames->begin(), value.get<Pose>()->frames->end());
                return Value::of<Pose>({std::make_shared<const std::vector<PoseFrame>>(std::move(all))});
            },
            .store = erased<Pose>([](const Pose& pose) { return std::optional(StoredValue{{{"frames", to_json(pose)}}, {}}); }),
            .restore = [](const StoredValue& stored) {
                return Value::of<Pose>(parse_pose(QJsonDocument(stored.fields["frames"].toArray()).toJson(QJsonDocument::Compact)));
            }};
}

}  // namespace nodes
