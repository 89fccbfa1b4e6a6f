#include "nodes/core/node.h"
#include "nodes/types/video.h"

namespace nodes {
namespace {

struct VideoFromFrames final : Node {
    VideoFromFrames()
        : Node({.id = "video.from_frames",
                .version = 1,
                .title = "Video from Frames",
                .category = "Video",
                .help = "The pictures of a batch, shown one after another."}) {}

    In<Image> images{this, "images", "The frames"};
    Param<double> rate{this,
                       "rate",
                       "Frames a second. 23.976, 29.97 and their like mean 24 and 30 times 1000/1001",
                       {.initial = 24, .min = 0.001, .max = 100000, .step = 1, .unit = "1/s"}};
    Out<Video> video{this, "video", "The video"};

    void compute(Eval& ev) const override { ev.set(video, video_of(ev[images], frame_rate(ev[rate]))); }
};

}  // namespace

REGISTER_NODE(video_from_frames, VideoFromFrames)

}  // namespace nodes
