#include "nodes/core/curve.h"
#include "nodes/video/frame_node.h"

namespace nodes {
namespace {

struct VideoCurves final : FrameNode, CurveEdited {
    VideoCurves()
        : FrameNode("image.curves",
                    {.id = "video.curves", .title = "Video Curves", .help = "Changes the tones of every frame by curves, as image.curves does."}) {}

    std::vector<std::string> curve_params() const override { return {"rgb", "luma", "red", "green", "blue"}; }
};

}  // namespace

REGISTER_NODE(video_curves, VideoCurves)

}  // namespace nodes
