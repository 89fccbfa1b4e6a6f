#include "nodes/video/frame_node.h"

namespace nodes {
namespace {

struct VideoResize final : FrameNode {
    VideoResize()
        : FrameNode("image.resize",
                    {.id = "video.resize", .title = "Resize Video", .help = "Resamples every frame to another size."}) {
    }
};

}  // namespace

REGISTER_NODE(video_resize, VideoResize)

}  // namespace nodes
