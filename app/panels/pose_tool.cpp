#include "app/panels/pose_tool.h"

#include <QJsonDocument>
#include <array>
#include <cmath>

#include "app/canvas/style.h"
#include "app/panels/picture_view.h"
#include "gpu/base/error.h"

namespace app {
namespace {

using nodes::Keypoint;
using nodes::Person;
using nodes::Skeleton;

constexpr double reach = 9;  // widget pixels
constexpr int empty_side = 512;

// A standing person in a square of side 1: nose, neck, right arm, left arm, right leg, left leg, eyes, ears of OpenPose's 18.
constexpr std::array<std::pair<double, double>, 18> standing{{{.50, .13}, {.50, .23}, {.42, .23}, {.38, .37}, {.36, .50}, {.58, .23}, {.62, .37}, {.64, .50}, {.45, .52},
                                                              {.44, .72}, {.43, .92}, {.55, .52}, {.56, .72}, {.57, .92}, {.48, .11}, {.52, .11}, {.45, .12}, {.55, .12}}};
// Of BODY_25's points the place of each of the 18, and of its feet.
constexpr std::array<int, 18> body25_of{0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};
constexpr std::array<std::pair<double, double>, 6> feet{{{.60, .96}, {.585, .95}, {.565, .945}, {.40, .96}, {.415, .95}, {.435, .945}}};

using Bones = std::vector<std::pair<int, int>>;
const Bones bones18{{1, 2}, {2, 3}, {3, 4}, {1, 5}, {5, 6}, {6, 7}, {1, 8}, {8, 9}, {9, 10}, {1, 11}, {11, 12}, {12, 13}, {1, 0}, {0, 14}, {14, 16}, {0, 15}, {15, 17}};
const Bones bones25{{1, 2}, {2, 3}, {3, 4}, {1, 5}, {5, 6}, {6, 7}, {1, 8}, {8, 9}, {9, 10}, {10, 11}, {8, 12}, {12, 13}, {13, 14}, {1, 0}, {0, 15}, {15, 17}, {0, 16}, {16, 18},
                    {14, 19}, {19, 20}, {14, 21}, {11, 22}, {22, 23}, {11, 24}};
const Bones bones17{{5, 6}, {5, 7}, {7, 9}, {6, 8}, {8, 10}, {5, 11}, {6, 12}, {11, 12}, {11, 13}, {13, 15}, {12, 14}, {14, 16}, {0, 1}, {0, 2}, {1, 3}, {2, 4}};

const Bones& bones_of(Skeleton skeleton) {
    static const Bones none;
    switch (skeleton) {
        case Skeleton::Coco17: return bones17;
        case Skeleton::Coco18: return bones18;
        case Skeleton::Body25: return bones25;
        case Skeleton::None: break;
    }
    return none;
}

QColor colour_of(int person, int point) { return QColor::fromHsv((point * 360 / 18 + person * 47) % 360, 220, 255); }

}  // namespace

PoseTool::PoseTool(GraphModel& model, NodeId node, nodes::PoseEdit edit, QObject* parent)
    : PictureTool(parent), model_(model), node_(std::move(node)), edit_(std::move(edit)), text_(QStringLiteral("?")) {
    refresh();
}

std::vector<Keypoint>& PoseTool::points(Person& person, int part) {
    switch (part) {
        case 0: return person.body;
        case 1: return person.left_hand;
        case 2: return person.right_hand;
        default: return person.face;
    }
}

void PoseTool::refresh() {
    if (!model_.contains(node_)) return;
    const QString text = model_.param(node_, edit_.keypoints).toString();
    if (text == text_) return;
    text_ = text;
    frame_ = {};
    later_.clear();
    problem_.clear();
    dragged_.reset();
    hovered_.reset();
    if (!text.trimmed().isEmpty()) try {
            const nodes::Pose pose = nodes::parse_pose(text.toUtf8());
            frame_ = pose.frames->front();
            later_.assign(pose.frames->begin() + 1, pose.frames->end());
        } catch (const gpu::Error& error) {
            problem_ = QString::fromUtf8(error.what());
        }
    emit refreshed();
    emit changed();
}

QSize PoseTool::canvas() const { return frame_.width > 1 && frame_.height > 1 ? QSizeF(frame_.width, frame_.height).toSize() : QSize(); }

void PoseTool::write(Gesture gesture) {
    std::vector<nodes::PoseFrame> frames{frame_};
    frames.insert(frames.end(), later_.begin(), later_.end());
    const QJsonArray list = nodes::to_json({std::make_shared<const std::vector<nodes::PoseFrame>>(std::move(frames))});
    text_ = QString::fromUtf8((list.size() == 1 ? QJsonDocument(list[0].toObject()) : QJsonDocument(list)).toJson(QJsonDocument::Compact));
    model_.set_param(node_, edit_.keypoints, text_, gesture);
    emit refreshed();
    emit changed();
}

void PoseTool::add_person(Skeleton skeleton) {
    if (!problem_.isEmpty() || !model_.contains(node_)) return;
    if (frame_.width <= 1 || frame_.height <= 1) {
        frame_.width = size_.isEmpty() ? empty_side : size_.width();
        frame_.height = size_.isEmpty() ? empty_side : size_.height();
    }
    const double side = std::min(frame_.width, frame_.height);
    // Beside those that are there.
    const double shift = 0.18 * side * (people() % 2 ? (people() + 1) / 2 : -people() / 2);
    const auto point = [&](std::pair<double, double> at) {
        return Keypoint{std::round((frame_.width - side) / 2 + at.first * side + shift), std::round((frame_.height - side) / 2 + at.second * side), 1};
    };
    Person person;
    person.skeleton = skeleton;
    person.body.resize(skeleton == Skeleton::Body25 ? 25 : 18);
    for (std::size_t i = 0; i < standing.size(); ++i)
        person.body[skeleton == Skeleton::Body25 ? static_cast<std::size_t>(body25_of[i]) : i] = point(standing[i]);
    if (skeleton == Skeleton::Body25) {
        person.body[8] = point({.50, .52});
        for (std::size_t i = 0; i < feet.size(); ++i) person.body[19 + i] = point(feet[i]);
    }
    frame_.people.push_back(std::move(person));
    touched_ = people() - 1;
    write(Gesture::none());
}

void PoseTool::remove_person() {
    if (touched_ < 0 || touched_ >= people()) return;
    frame_.people.erase(frame_.people.begin() + touched_);
    touched_ = people() - 1;
    dragged_.reset();
    hovered_.reset();
    write(Gesture::none());
}

QPointF PoseTool::to_picture(const Keypoint& point) const { return {point.x * scale_x(), point.y * scale_y()}; }

QPointF PoseTool::position(int person, int point) const {
    return to_picture(frame_.people.at(static_cast<std::size_t>(person)).body.at(static_cast<std::size_t>(point)));
}

// The nearest one; hidden points are found where they were.
std::optional<PoseTool::Place> PoseTool::place_at(QPointF at) const {
    std::optional<Place> best;
    double nearest = reach / zoom();
    for (int person = 0; person < people(); ++person)
        for (int part = 0; part < parts; ++part) {
            const auto& list = points(frame_.people[static_cast<std::size_t>(person)], part);
            for (int i = 0; i < static_cast<int>(list.size()); ++i) {
                const Keypoint& point = list[static_cast<std::size_t>(i)];
                if (point.score <= 0 && point.x == 0 && point.y == 0) continue;  // never seen
                const QPointF off = to_picture(point) - at;
                if (const double distance = std::hypot(off.x(), off.y()); distance <= nearest) nearest = distance, best = Place{person, part, i};
            }
        }
    return best;
}

bool PoseTool::press(QPointF at, const QMouseEvent& event) {
    const auto place = place_at(at);
    if (!place) return false;
    touched_ = place->person;
    if (event.button() == Qt::RightButton) {
        Keypoint& point = at_place(*place);
        point.score = point.score > 0 ? 0 : 1;
        write(Gesture::none());
        return true;
    }
    if (event.button() != Qt::LeftButton) return false;
    dragged_ = place;
    moved_ = false;
    gesture_ = Gesture::next();
    return true;
}

void PoseTool::drag(QPointF at, const QMouseEvent& event) {
    if (!dragged_) return;
    Keypoint& point = at_place(*dragged_);
    const QPointF to(std::round(at.x() / scale_x() * 100) / 100, std::round(at.y() / scale_y() * 100) / 100);
    const QPointF by = to - QPointF(point.x, point.y);
    if (by.isNull()) return;
    if (event.modifiers() & Qt::ShiftModifier) {  // the whole person
        for (int part = 0; part < parts; ++part)
            for (Keypoint& each : points(frame_.people[static_cast<std::size_t>(dragged_->person)], part))
                if (each.score > 0) each.x += by.x(), each.y += by.y();
    } else {
        point.x = to.x(), point.y = to.y();
    }
    moved_ = true;
    write(gesture_);
}

void PoseTool::release(QPointF, const QMouseEvent&) { dragged_.reset(); }

void PoseTool::hover(QPointF at) {
    const auto place = place_at(at);
    if (place == hovered_) return;
    hovered_ = place;
    emit changed();
}

void PoseTool::paint(QPainter& painter, const PictureView& view) const {
    for (int p = 0; p < people(); ++p) {
        const Person& person = frame_.people[static_cast<std::size_t>(p)];
        for (const auto& [from, to] : bones_of(person.skeleton)) {
            const Keypoint &a = person.body[static_cast<std::size_t>(from)], &b = person.body[static_cast<std::size_t>(to)];
            if (a.score <= 0 || b.score <= 0) continue;
            for (const auto& [colour, thickness] : {std::pair(QColor(0, 0, 0, 140), 5.0), std::pair(colour_of(p, to), 2.5)}) {
                painter.setPen(QPen(colour, thickness, Qt::SolidLine, Qt::RoundCap));
                painter.drawLine(view.to_widget(to_picture(a)), view.to_widget(to_picture(b)));
            }
        }
        for (int part = 0; part < parts; ++part) {
            const auto& list = points(person, part);
            for (int i = 0; i < static_cast<int>(list.size()); ++i) {
                const Keypoint& point = list[static_cast<std::size_t>(i)];
                if (point.score <= 0 && point.x == 0 && point.y == 0) continue;
                const Place here{p, part, i};
                const bool held = hovered_ == here || dragged_ == here;
                const double radius = (part == 0 ? 4.5 : 2.5) + (held ? 2 : 0);
                painter.setPen(QPen(QColor(0, 0, 0, 170), 1));
                painter.setBrush(point.score > 0 ? QBrush(held ? QColor(Qt::white) : colour_of(p, i)) : QBrush(Qt::NoBrush));
                if (point.score <= 0) painter.setPen(QPen(QColor(255, 255, 255, 150), 1, Qt::DotLine));
                painter.drawEllipse(view.to_widget(to_picture(point)), radius, radius);
            }
        }
    }
}

Qt::CursorShape PoseTool::cursor(QPointF at) const { return dragged_ || place_at(at) ? Qt::PointingHandCursor : Qt::ArrowCursor; }

}  // namespace app
