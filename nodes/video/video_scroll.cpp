#include <algorithm>
#include <cmath>

#include "nodes/core/node.h"
#include "nodes/types/video.h"

namespace nodes {
namespace {

// A picture that moves on by so many pixels a frame and comes in again at the other side. Frames are made when they are
// read.
class ScrollSource final : public VideoSource {
public:
    ScrollSource(const Image& picture, double x, double y, std::int64_t frames, const Rational& rate)
        : x_(x), y_(y), key_(content_hash(picture.tensor)) {
        format_ = {.width = static_cast<int>(picture.width()),
                   .height = static_cast<int>(picture.height()),
                   .alpha = picture.has_alpha(),
                   .tick = {rate.den, rate.num},
                   .rate = rate,
                   .frames = frames};
        pixels_ = to_interleaved(as_frame(picture, format_).tensor);
    }
    const VideoFormat& format() const override { return format_; }
    std::unique_ptr<FrameReader> open(std::int64_t from) const override {
        return std::make_unique<Reader>(*this, from);
    }
    std::vector<std::int64_t> times() const override {
        std::vector<std::int64_t> all;
        for (std::int64_t i = 0; i <= format_.frames; ++i) all.push_back(i);
        return all;
    }
    gpu::Hash hash() const override {
        return gpu::Hasher()
            .add("scroll")
            .add(key_)
            .add(x_)
            .add(y_)
            .add(format_.frames)
            .add(format_.rate.num)
            .add(format_.rate.den)
            .finish();
    }
    std::size_t bytes() const override { return pixels_.size() * sizeof(float); }

private:
    class Reader final : public FrameReader {
    public:
        Reader(const ScrollSource& source, std::int64_t from) : source_(source), at_(std::max<std::int64_t>(from, 0)) {}
        std::optional<VideoFrame> next() override {
            if (at_ >= source_.format_.frames) return std::nullopt;
            return VideoFrame{source_.frame(at_), at_++, 1};
        }

    private:
        const ScrollSource& source_;
        std::int64_t at_;
    };

    Image frame(std::int64_t number) const {
        const int channels = format_.alpha ? 4 : 3;
        const auto moved = [&](double step, int length) {
            return ((std::llround(step * static_cast<double>(number)) % length) + length) % length;
        };
        const std::ptrdiff_t row = std::ptrdiff_t{format_.width} * channels, dx = moved(x_, format_.width) * channels;
        const std::int64_t dy = moved(y_, format_.height);
        std::vector<float> out(pixels_.size());
        for (std::ptrdiff_t y = 0; y < format_.height; ++y) {
            const auto from = pixels_.begin() + y * row;
            std::rotate_copy(from, from + (row - dx) % row, from + row, out.begin() + (y + dy) % format_.height * row);
        }
        return make_image(from_interleaved(std::move(out), 1, format_.height, format_.width, channels));
    }

    double x_, y_;
    gpu::Hash key_;
    VideoFormat format_;
    std::vector<float> pixels_;
};

struct VideoScroll final : Node {
    VideoScroll()
        : Node(
              {.id = "video.scroll",
               .version = 1,
               .title = "Scroll Picture",
               .category = "Video",
               .help =
                   "A video of a picture that moves on and comes in again at the other side; without movement, a still "
                   "picture as a video."}) {}

    In<Image> image{this, "image", "The picture"};
    Param<int> frames{this, "frames", "How many frames", {.initial = 48, .min = 1}};
    Param<double> rate{
        this, "rate", "Frames a second", {.initial = 24, .min = 0.001, .max = 100000, .step = 1, .unit = "1/s"}};
    Param<double> x{this,
                    "x",
                    "Moves to the right with every frame",
                    {.initial = 2, .min = -4096, .max = 4096, .step = 0.5, .unit = "px"}};
    Param<double> y{
        this, "y", "Moves down with every frame", {.initial = 0, .min = -4096, .max = 4096, .step = 0.5, .unit = "px"}};
    Out<Video> video{this, "video", "The video"};

    void compute(Eval& ev) const override {
        if (ev[image].batch() != 1) ev.fail(image, "expected one picture, got {}", ev[image].batch());
        ev.set(video,
               Video{std::make_shared<const ScrollSource>(ev[image], ev[x], ev[y], ev[frames], frame_rate(ev[rate]))});
    }
};

}  // namespace

REGISTER_NODE(video_scroll, VideoScroll)

}  // namespace nodes
