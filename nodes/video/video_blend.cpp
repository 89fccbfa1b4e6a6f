#include "nodes/video/frame_node.h"

namespace nodes {
namespace {

struct VideoBlend final : FrameNode {
    VideoBlend()
        : FrameNode("image.blend", {.id = "video.blend",
                                    .title = "Blend Video",
                                    .help = "Lays a picture over every frame, where a mask says."}) {}
};

}  // namespace

REGISTER_NODE(video_blend, VideoBlend)

}  // namespace nodes
