#include "nodes/video/frame_node.h"

namespace nodes {
namespace {

struct VideoPad final : FrameNode {
    VideoPad()
        : FrameNode("image.pad", {.id = "video.pad", .title = "Pad Video", .help = "Adds a border to every frame."}) {}
};

}  // namespace

REGISTER_NODE(video_pad, VideoPad)

}  // namespace nodes
