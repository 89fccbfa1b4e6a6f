// pose: keypoints of people, one list for each frame. In<Pose>, Out<Pose>.
#pragma once

#include <QByteArray>
#include <QJsonArray>
#include <array>
#include <memory>
#include <vector>

#include "nodes/core/socket_type.h"

namespace nodes {

struct Keypoint {
    double x = 0, y = 0;      // right and down, in the frame's units
    double score = 0;         // confidence 0..1; 0: not found
};

// Which keypoints a body has, by their number and order.
enum class Skeleton {
    None,
    Coco17,      // nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles; of pairs the left one first
    Coco18,      // OpenPose's COCO: nose, neck, right and left arm, right and left leg, right and left eye, right and left ear
    Body25,      // OpenPose's BODY_25: as that with the middle of the hips and six points of the feet
};

struct Person {
    Skeleton skeleton = Skeleton::None;
    std::vector<Keypoint> body;                         // 0, 17, 18 or 25, as the skeleton says
    std::vector<Keypoint> left_hand, right_hand;        // 0 or 21: the wrist, then four of each finger from the thumb on
    std::vector<Keypoint> face;                         // any number, 68 or 70 as a rule

    // In another skeleton. A neck that is not there lies between two shoulders that are.
    std::array<Keypoint, 18> coco18() const;
    std::array<Keypoint, 17> coco17() const;
};

struct PoseFrame {
    double width = 0, height = 0;      // of the picture that coordinates belong to; 1 x 1 where they are fractions; 0: not known
    std::vector<Person> people;
};

struct Pose {
    std::shared_ptr<const std::vector<PoseFrame>> frames;      // never null on a wire
};

// Reads the JSON of OpenPose ({"people": [{"pose_keypoints_2d": [x, y, score, ...], "hand_left_keypoints_2d": ...}]}, with canvas_width and
// canvas_height where a program adds them, numbers in pixels or all in 0..1), a list of such objects as frames, and COCO's annotations
// ({"images": ..., "annotations": [{"keypoints": [...]}]}, or the list of results alone). Throws Error{BadFile} for anything else.
Pose parse_pose(const QByteArray& json);

// The frames as OpenPose's JSON: what parse_pose reads.
QJsonArray to_json(const Pose& pose);

template <>
struct SocketTraits<Pose> {
    static constexpr const char* name = "pose";
    static SocketType describe();
};

}  // namespace nodes
