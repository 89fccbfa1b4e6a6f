#include "nodes/video/frame_node.h"

namespace nodes {
namespace {

struct VideoBlur final : FrameNode {
    VideoBlur()
        : FrameNode("image.blur",
                    {.id = "video.blur", .title = "Blur Video", .help = "Gaussian blur of every frame."}) {}
};

}  // namespace

REGISTER_NODE(video_blur, VideoBlur)

}  // namespace nodes
