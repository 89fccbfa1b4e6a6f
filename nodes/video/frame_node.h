// Nodes that do to every frame of a video what a node for pictures does to a picture.
//
//     struct VideoBlur final : FrameNode {
//         VideoBlur() : FrameNode("image.blur", {.id = "video.blur", .title = "Blur Video", .help = "..."}) {}
//     };
//
// Sockets and parameters are those of the node for pictures, so that both stay one thing: its first input for pictures
// and its output become the video, other inputs are the same for all frames. Frames are computed when somebody reads
// the video.
#pragma once

#include <string>

#include "nodes/core/node.h"
#include "nodes/types/video.h"

namespace nodes {

class FrameNode : public Node {
public:
    // `picture_node` is registered before this one: its file's stem comes first in the alphabet. It has one output, an
    // image, and computes the same for the same picture. Version and category of `info` follow from it.
    FrameNode(const char* picture_node, NodeInfo info);

    void compute(Eval& ev) const override;
    QJsonObject upgrade(QJsonObject params, int from) const override {
        return picture_node_.upgrade(std::move(params), from);
    }

private:
    const Node& picture_node_;
    std::size_t frame_input_ = 0;  // of picture_node_
};

}  // namespace nodes
