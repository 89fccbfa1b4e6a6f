#include <QFile>

#include "nodes/core/direct_edit.h"
#include "nodes/core/node.h"
#include "nodes/types/pose.h"

namespace nodes {
namespace {

struct PoseLoad final : Node, DirectlyEdited {
    PoseLoad() : Node({.id = "pose.load", .version = 1, .title = "Load Pose", .category = "Control Pictures",
                       .help = "Reads keypoints of people from JSON: OpenPose's files with 18 or 25 points of the body, hands and face, lists of them as frames, and "
                               "COCO's annotations with 17."}) {}

    Param<FilePath>    file{this, "file", "The file to read", {.filter = "Keypoints (*.json);;All files (*)", .required = false}};
    Param<std::string> text{this, "text", "The JSON itself, read where no file is set", {.multiline = true}};
    Out<Pose>          pose{this, "pose", "The keypoints"};

    void compute(Eval& ev) const override {
        const std::string typed = ev[text], path = ev[file].path;
        if (typed.empty() && path.empty()) ev.fail(file, "expected a file or text with keypoints, got neither");
        if (path.empty()) return ev.set(pose, parsed(ev, text, gpu::ErrorCode::InvalidGraph, QByteArray::fromStdString(typed)));
        QFile input(QString::fromStdString(path));
        if (!input.open(QIODevice::ReadOnly))
            ev.fail(file, gpu::ErrorCode::MissingFile, "expected a file at {}, got: {}", path, input.errorString().toStdString());
        constexpr qint64 most = qint64(256) << 20;
        if (input.size() > most) ev.fail(file, gpu::ErrorCode::BadFile, "expected at most 256 MiB of JSON in {}, got {} bytes", path, input.size());
        ev.set(pose, parsed(ev, file, gpu::ErrorCode::BadFile, input.readAll()));
    }

    std::vector<DirectEdit> direct_edits() const override { return {PoseEdit{.keypoints = "text", .file = "file"}}; }

    Pose parsed(Eval& ev, const Handle& at, gpu::ErrorCode code, const QByteArray& json) const {
        try {
            return parse_pose(json);
        } catch (const gpu::Error& error) {
            ev.fail(at, code, "{}", error.what());
        }
    }
};

}  // namespace

REGISTER_NODE(pose_load, PoseLoad)

}  // namespace nodes
