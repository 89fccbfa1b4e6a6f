#include "nodes/core/direct_edit.h"
#include "nodes/video/frame_node.h"

namespace nodes {
namespace {

struct VideoCrop final : FrameNode, DirectlyEdited {
    VideoCrop()
        : FrameNode("image.crop",
                    {.id = "video.crop", .title = "Crop Video", .help = "Cuts a rectangle out of every frame."}) {}

    std::vector<DirectEdit> direct_edits() const override { return {BoxEdit{.picture = "video", .anchor = "anchor", .centred = "center"}}; }
};

}  // namespace

REGISTER_NODE(video_crop, VideoCrop)

}  // namespace nodes
