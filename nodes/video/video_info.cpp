#include <algorithm>

#include "nodes/core/node.h"
#include "nodes/types/number.h"
#include "nodes/types/video.h"

namespace nodes {
namespace {

struct VideoInfo final : Node {
    VideoInfo()
        : Node({.id = "video.info",
                .version = 1,
                .title = "Video Info",
                .category = "Video",
                .help = "Tells size, frames, rate and duration of a video. Frames are counted, so that a long file is "
                        "read once "
                        "from end to end.",
                .target = true}) {}

    In<Video> video{this, "video", "The video"};
    Out<double> frames{this, "frames", "Number of frames"};
    Out<double> rate{this, "rate", "Mean frames a second"};
    Out<double> duration{this, "duration", "Seconds, until the last frame ends"};
    Out<double> width{this, "width", "Pixels"};
    Out<double> height{this, "height", "Pixels"};

    void compute(Eval& ev) const override {
        const VideoFormat& format = ev[video].format();
        const std::vector<std::int64_t> times = ev[video].source->times();
        const double count = static_cast<double>(times.size() - 1),
                     seconds = static_cast<double>(times.back()) * format.tick.value();
        std::int64_t shortest = times[1] - times[0], longest = shortest;
        for (std::size_t i = 1; i + 1 < times.size(); ++i) {
            shortest = std::min(shortest, times[i + 1] - times[i]);
            longest = std::max(longest, times[i + 1] - times[i]);
        }
        tell(ev, frames, count);
        tell(ev, rate, count / seconds, "1/s");
        tell(ev, duration, seconds, "s");
        tell(ev, width, format.width, "px");
        tell(ev, height, format.height, "px");
        ev.report("shortest_frame", static_cast<double>(shortest) * format.tick.value(), "s");
        ev.report("longest_frame", static_cast<double>(longest) * format.tick.value(), "s");
    }

    static void tell(Eval& ev, const Out<double>& out, double value, const std::string& unit = {}) {
        ev.report(out.name(), value, unit);
        ev.set(out, value);
    }
};

}  // namespace

REGISTER_NODE(video_info, VideoInfo)

}  // namespace nodes
