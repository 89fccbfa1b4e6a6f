#include "nodes/video/frame_node.h"

namespace nodes {
namespace {

struct VideoCrop final : FrameNode {
    VideoCrop()
        : FrameNode("image.crop",
                    {.id = "video.crop", .title = "Crop Video", .help = "Cuts a rectangle out of every frame."}) {}
};

}  // namespace

REGISTER_NODE(video_crop, VideoCrop)

}  // namespace nodes
