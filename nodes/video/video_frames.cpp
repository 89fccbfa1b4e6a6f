#include "nodes/core/node.h"
#include "nodes/types/video.h"

namespace nodes {
namespace {

struct VideoFrames final : Node {
    VideoFrames()
        : Node({.id = "video.frames",
                .version = 1,
                .title = "Frames of Video",
                .category = "Video",
                .help = "Some frames of a video as a batch of pictures, which lies in memory."}) {}

    In<Video> video{this, "video", "The video"};
    Param<int> first{this, "first", "The first one's number, from 0", {.initial = 0, .min = 0}};
    Param<int> count{this, "count", "How many, or as many as there are", {.initial = 16, .min = 1, .max = 65536}};
    Param<int> every{this, "every", "Takes one frame of so many", {.initial = 1, .min = 1, .max = 1000000}};
    Out<Image> images{this, "images", "The frames"};

    void compute(Eval& ev) const override {
        const VideoSource& source = *ev[video].source;
        const VideoFormat& format = source.format();
        std::vector<std::int64_t> times = source.times();
        times.pop_back();  // the end
        if (ev[first] >= std::ssize(times))
            ev.fail(first, "expected a number below {}, got {}", times.size(), ev[first]);

        const int channels = format.alpha ? 4 : 3;
        const std::int64_t wanted =
            std::min<std::int64_t>(ev[count], (std::ssize(times) - 1 - ev[first]) / ev[every] + 1);
        std::vector<float> pixels;
        pixels.reserve(static_cast<std::size_t>(wanted * channels * format.width) *
                       static_cast<std::size_t>(format.height));
        const std::unique_ptr<FrameReader> reader = source.open(times[static_cast<std::size_t>(ev[first])]);
        std::int64_t taken = 0;
        for (std::int64_t at = 0; taken < wanted; ++at) {
            ev.progress(taken, wanted);
            const std::optional<VideoFrame> frame = reader->next();
            if (!frame) break;
            if (at % ev[every] != 0) continue;
            const std::vector<float> one = to_interleaved(frame->image.tensor);
            pixels.insert(pixels.end(), one.begin(), one.end());
            ++taken;
        }
        if (taken == 0) ev.fail(video, gpu::ErrorCode::BadFile, "expected a frame of number {}, got none", ev[first]);
        ev.set(
            images,
            evaluated(make_image(from_interleaved(std::move(pixels), taken, format.height, format.width, channels))));
    }
};

}  // namespace

REGISTER_NODE(video_frames, VideoFrames)

}  // namespace nodes
