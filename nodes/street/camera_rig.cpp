#include "nodes/core/direct_edit.h"
#include "nodes/core/node.h"
#include "nodes/types/camera.h"

namespace nodes {
namespace {

struct CameraRig final : Node, DirectlyEdited {
    CameraRig() : Node({.id = "camera.rig", .version = 1, .title = "Cameras", .category = "Street",
                        .help = "Pinhole cameras around a car: where each is, how it is turned, and its focal length. Without text six as nuScenes has them, in the "
                                "order front left, front, front right, back right, back, back left."}) {}

    Param<std::string> cameras{this, "cameras", "The cameras as JSON: [{\"name\": \"front\", \"position\": [0, 0.76, -0.33], \"yaw\": 90, \"pitch\": 0, \"K\": "
                                                "[1266, 1266, 800, 450], \"size\": [1600, 900]}]; or \"fov\" in degrees for K, or \"cam2lidar\" for position and angles",
                               {.multiline = true}};
    Out<Cameras>       rig{this, "cameras", "The cameras, in order"};

    void compute(Eval& ev) const override {
        try {
            ev.set(rig, {std::make_shared<const std::vector<Camera>>(parse_cameras(QByteArray::fromStdString(ev[cameras])))});
        } catch (const gpu::Error& error) {
            ev.fail(cameras, "{}", error.what());
        }
    }

    std::vector<DirectEdit> direct_edits() const override { return {CamerasEdit{.cameras = "cameras"}}; }
};

}  // namespace

REGISTER_NODE(camera_rig, CameraRig)

}  // namespace nodes
