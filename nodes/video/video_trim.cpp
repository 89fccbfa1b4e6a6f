#include <algorithm>

#include "nodes/core/node.h"
#include "nodes/types/video.h"

namespace nodes {
namespace {

enum class By { Seconds, Frames };

struct VideoTrim final : Node {
    VideoTrim()
        : Node({.id = "video.trim",
                .version = 1,
                .title = "Trim Video",
                .category = "Video",
                .help =
                    "A part of a video and of its sound, from time 0. Nothing is encoded anew before it is saved."}) {}

    In<Video> video{this, "video", "The video"};
    Param<By> by{this,
                 "by",
                 "What tells the part: times, or numbers of frames",
                 {.initial = By::Seconds, .names = {"seconds", "frames"}}};
    Param<double> start{this,
                        "start",
                        "By seconds: the first frame is the first one at or after this time",
                        {.initial = 0, .min = 0, .max = 1e7, .step = 0.5, .unit = "s"}};
    Param<double> length{this,
                         "length",
                         "By seconds: how long it lasts; 0: to the end",
                         {.initial = 0, .min = 0, .max = 1e7, .step = 0.5, .unit = "s"}};
    Param<int> first{this, "first", "By frames: the first one's number, from 0", {.initial = 0, .min = 0}};
    Param<int> count{this, "count", "By frames: how many; 0: to the end", {.initial = 0, .min = 0}};
    Out<Video> trimmed{this, "video", "The part"};

    void compute(Eval& ev) const override {
        const std::vector<std::int64_t> times = ev[video].source->times();
        const std::size_t frames = times.size() - 1;
        std::size_t begin = 0, end = frames;
        if (ev[by] == By::Frames) {
            begin = static_cast<std::size_t>(ev[first]);
            if (begin >= frames) ev.fail(first, "expected a number below {}, got {}", frames, begin);
            if (ev[count] > 0) end = std::min(frames, begin + static_cast<std::size_t>(ev[count]));
        } else {
            // Half a millionth of a tick: what a decimal number misses a frame's time by.
            const double tick = ev[video].format().tick.value();
            const auto at = [&](double seconds) {
                const auto found = std::lower_bound(
                    times.begin(), times.end() - 1, seconds / tick - 5e-7,
                    [](std::int64_t time, double wanted) { return static_cast<double>(time) < wanted; });
                return static_cast<std::size_t>(found - times.begin());
            };
            begin = at(ev[start]);
            if (begin >= frames)
                ev.fail(start, "expected a time before the last frame's {} s, got {}",
                        static_cast<double>(times[frames - 1]) * tick, ev[start]);
            if (ev[length] > 0) end = std::max(begin + 1, at(ev[start] + ev[length]));
        }
        ev.set(trimmed, nodes::trimmed(ev[video], times, begin, end));
    }
};

}  // namespace

REGISTER_NODE(video_trim, VideoTrim)

}  // namespace nodes
