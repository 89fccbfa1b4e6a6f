#include "nodes/video/frame_node.h"

#include <algorithm>

#include "gpu/ops.h"
#include "nodes/core/key.h"

namespace nodes {
namespace {

// A frame's own run: nobody watches it, and who reads the video is asked about cancelling.
class SilentHost final : public EvalHost {
public:
    void on_progress(std::int64_t, std::int64_t) override { gpu::check_cancelled(); }
    void on_preview(const QImage&) override {}
    void on_metric(const std::string&, double, const std::string&) override {}
    void on_warning(const std::string&) override {}
    void on_wrote(const std::string&) override {}
    void on_resumable() override {}
    std::string document_json() const override { return {}; }
};

// The node for pictures with all it reads but the picture.
struct FrameCall {
    const Node& node;
    std::string id;
    std::vector<Value> inputs;
    std::vector<QJsonValue> params;
    std::size_t frame_input;

    Image operator()(const Image& frame) const {
        gpu::check_cancelled();
        std::vector<Value> values = inputs;
        values[frame_input] = Value::of<Image>(frame);
        SilentHost host;
        Eval ev(node, id, std::move(values), params, {}, host);
        node.compute(ev);
        return *ev.outputs()[0].get<Image>();
    }
};

}  // namespace

FrameNode::FrameNode(const char* picture_node, NodeInfo info)
    : Node([&] {
          info.version = registered_node(picture_node).info().version;
          info.category = "Video";
          return info;
      }()),
      picture_node_(registered_node(picture_node)) {
    const auto& inputs = picture_node_.inputs();
    const auto first = std::ranges::find(inputs, &socket_type<Image>(), &SocketInfo::type);
    gpu::check(first != inputs.end() && picture_node_.outputs().size() == 1 &&
                   picture_node_.outputs()[0].type == &socket_type<Image>(),
               gpu::ErrorCode::Failure, "register node type {}: expected a node from pictures to pictures, got {}",
               this->info().id, picture_node);
    frame_input_ = static_cast<std::size_t>(first - inputs.begin());
    for (SocketInfo input : inputs) {
        if (input.type == &socket_type<Image>() && input.name == first->name)
            input = {.name = "video", .help = "Its frames are what the node changes", .type = &socket_type<Video>()};
        declare_input(std::move(input));
    }
    for (const ParamInfo& param : picture_node_.params()) declare_param(param);
    declare_output({.name = "video",
                    .help = "The frames, changed, at the same times, with the same sound",
                    .type = &socket_type<Video>()});
}

void FrameNode::compute(Eval& ev) const {
    const Value& input = ev.inputs()[frame_input_];
    const Video* video = input.get<Video>();
    gpu::check(video, gpu::ErrorCode::InvalidGraph, "expected a video, nothing is connected");
    const FrameCall call{picture_node_, ev.id(), ev.inputs(), ev.params(), frame_input_};

    // One frame without content tells the size, and what can not be done is said here and not where the video is read.
    const VideoFormat& format = video->format();
    const Image blank = make_image(gpu::full({1, format.alpha ? 4 : 3, format.height, format.width}, 0.5));
    const Image sample = call(blank);

    gpu::Hasher key;
    key.add(node_key(picture_node_, ev.params(), std::vector<gpu::Hash>(ev.inputs().size())));
    for (std::size_t i = 0; i < ev.inputs().size(); ++i)
        if (i != frame_input_ && !ev.inputs()[i].empty()) key.add(ev.inputs()[i].hash().value_or(gpu::Hash{}));
    ev.outputs()[0] = Value::of<Video>(mapped(*video, {.apply = call,
                                                       .width = static_cast<int>(sample.width()),
                                                       .height = static_cast<int>(sample.height()),
                                                       .alpha = sample.has_alpha(),
                                                       .name = gpu::format("{} ({})", ev.id(), info().id),
                                                       .key = key.finish()}));
}

}  // namespace nodes
