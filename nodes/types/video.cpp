#include "nodes/types/video.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gpu/base/cancel.h"
#include "gpu/base/error.h"
#include "gpu/ops.h"

namespace nodes {
namespace {

// One picture of a batch after the other.
class BatchSource final : public VideoSource {
public:
    BatchSource(Image batch, const Rational& rate) : batch_(std::move(batch)) {
        format_ = {.width = static_cast<int>(batch_.width()),
                   .height = static_cast<int>(batch_.height()),
                   .alpha = batch_.has_alpha(),
                   .tick = {rate.den, rate.num},
                   .rate = rate,
                   .frames = batch_.batch()};
    }
    const VideoFormat& format() const override { return format_; }
    std::unique_ptr<FrameReader> open(std::int64_t from) const override {
        return std::make_unique<Reader>(*this, from);
    }
    std::vector<std::int64_t> times() const override {
        std::vector<std::int64_t> all(static_cast<std::size_t>(batch_.batch()) + 1);
        std::iota(all.begin(), all.end(), std::int64_t{0});
        return all;
    }
    gpu::Hash hash() const override {
        return gpu::Hasher()
            .add(batch_.space)
            .add(content_hash(batch_.tensor))
            .add(format_.rate.num)
            .add(format_.rate.den)
            .finish();
    }
    std::size_t bytes() const override { return tensor_bytes(batch_.tensor); }

private:
    class Reader final : public FrameReader {
    public:
        Reader(const BatchSource& source, std::int64_t from)
            : batch_(source.batch_), format_(source.format_), at_(std::max<std::int64_t>(from, 0)) {}
        std::optional<VideoFrame> next() override {
            if (at_ >= batch_.batch()) return std::nullopt;
            const Image one{gpu::slice(batch_.tensor, 0, at_, at_ + 1), batch_.space};
            return VideoFrame{as_frame(one, format_), at_++, 1};
        }

    private:
        const Image batch_;
        const VideoFormat format_;
        std::int64_t at_;
    };

    Image batch_;
    VideoFormat format_;
};

class TrimmedSource final : public VideoSource {
public:
    TrimmedSource(std::shared_ptr<const VideoSource> base, std::vector<std::int64_t> times)
        : base_(std::move(base)), times_(std::move(times)), format_(base_->format()) {
        format_.frames = static_cast<std::int64_t>(times_.size()) - 1;
        const double seconds = static_cast<double>(times_.back() - times_.front()) * format_.tick.value();
        const bool even = format_.rate.num > 0 &&
                          std::abs(seconds * format_.rate.value() - static_cast<double>(format_.frames)) < 0.5;
        if (!even) format_.rate = frame_rate(std::clamp(static_cast<double>(format_.frames) / seconds, 0.001, 1e5));
    }
    const VideoFormat& format() const override { return format_; }
    std::unique_ptr<FrameReader> open(std::int64_t from) const override {
        const std::int64_t begin = times_.front() + std::clamp<std::int64_t>(from, 0, times_.back() - times_.front());
        return std::make_unique<Reader>(base_->open(begin), times_.front(), times_.back());
    }
    std::vector<std::int64_t> times() const override {
        std::vector<std::int64_t> moved = times_;
        for (std::int64_t& time : moved) time -= times_.front();
        return moved;
    }
    std::optional<AudioTrack> audio() const override {
        std::optional<AudioTrack> track = base_->audio();
        if (!track) return track;
        const std::int64_t zero = track->zero;
        track->zero = zero + times_.front();
        track->from = std::max(track->from.value_or(track->zero), track->zero);
        track->to = std::min(track->to.value_or(zero + times_.back()), zero + times_.back());
        return track;
    }
    gpu::Hash hash() const override {
        return gpu::Hasher().add("trim").add(base_->hash()).add(times_.front()).add(times_.back()).finish();
    }
    std::size_t bytes() const override { return base_->bytes() + times_.size() * sizeof(std::int64_t); }

private:
    class Reader final : public FrameReader {
    public:
        Reader(std::unique_ptr<FrameReader> base, std::int64_t begin, std::int64_t end)
            : base_(std::move(base)), begin_(begin), end_(end) {}
        std::optional<VideoFrame> next() override {
            std::optional<VideoFrame> frame = base_->next();
            if (!frame || frame->time >= end_) return std::nullopt;
            frame->duration = std::min(frame->duration, end_ - frame->time);
            frame->time -= begin_;
            return frame;
        }

    private:
        const std::unique_ptr<FrameReader> base_;
        const std::int64_t begin_, end_;
    };

    std::shared_ptr<const VideoSource> base_;
    std::vector<std::int64_t> times_;  // of the base
    VideoFormat format_;
};

class MappedSource final : public VideoSource {
public:
    MappedSource(std::shared_ptr<const VideoSource> base, FrameMap map)
        : base_(std::move(base)), map_(std::move(map)), format_(base_->format()) {
        format_.width = map_.width;
        format_.height = map_.height;
        format_.alpha = map_.alpha;
        format_.codec.clear();
    }
    const VideoFormat& format() const override { return format_; }
    std::unique_ptr<FrameReader> open(std::int64_t from) const override {
        return std::make_unique<Reader>(base_->open(from), map_, format_);
    }
    std::vector<std::int64_t> times() const override { return base_->times(); }
    std::optional<AudioTrack> audio() const override { return base_->audio(); }
    gpu::Hash hash() const override { return gpu::Hasher().add("map").add(base_->hash()).add(map_.key).finish(); }
    std::size_t bytes() const override { return base_->bytes(); }

private:
    class Reader final : public FrameReader {
    public:
        Reader(std::unique_ptr<FrameReader> base, FrameMap map, VideoFormat format)
            : base_(std::move(base)), map_(std::move(map)), format_(std::move(format)) {}
        std::optional<VideoFrame> next() override {
            std::optional<VideoFrame> frame = base_->next();
            if (!frame) return frame;
            try {
                frame->image = as_frame(map_.apply(frame->image), format_);
            } catch (const gpu::Cancelled&) {
                throw;
            } catch (const gpu::Error& error) {
                // A plain error: the socket that it may name is one of the node that made this video, not of the
                // reader.
                throw gpu::Error(error.code(), "{}, frame at {} s: {}", map_.name,
                                 static_cast<double>(frame->time) * format_.tick.value(), error.what());
            }
            return frame;
        }

    private:
        const std::unique_ptr<FrameReader> base_;
        const FrameMap map_;
        const VideoFormat format_;
    };

    std::shared_ptr<const VideoSource> base_;
    FrameMap map_;
    VideoFormat format_;
};

std::string summary(const Video& video) {
    const VideoFormat& f = video.format();
    std::string text = gpu::format("{} x {}", f.width, f.height);
    if (f.frames > 0) text += gpu::format(", {} frames", f.frames);
    if (f.rate.num > 0) text += gpu::format(", {}/s", to_string(f.rate));
    if (f.alpha) text += ", alpha";
    if (!f.codec.empty()) text += ", " + f.codec;
    if (!f.audio.empty()) text += " and " + f.audio;
    return text;
}

QImage first_frame(const Video& video, int max_side) {
    const std::optional<VideoFrame> frame = video.source->open()->next();
    return frame ? to_qimage(frame->image, max_side) : QImage();
}

}  // namespace

std::string to_string(const Rational& value) {
    return value.den == 1 ? gpu::format("{}", value.num) : gpu::format("{}/{}", value.num, value.den);
}

Rational frame_rate(double rate) {
    gpu::check(rate >= 0.001 && rate <= 100000, gpu::ErrorCode::InvalidGraph,
               "frame rate: expected 0.001 to 100000 a second, got {}", rate);
    const auto whole = std::llround(rate);
    if (rate == static_cast<double>(whole)) return {whole, 1};
    // NTSC's rates are written with two or three digits: 29.97, 23.976, 59.94.
    const auto film = std::llround(rate * 1.001);
    if (film > 0 && std::abs(rate * 1.001 - static_cast<double>(film)) < 0.006 && film % 6 == 0)
        return {film * 1000, 1001};
    const auto thousandths = std::llround(rate * 1000), common = std::gcd(thousandths, 1000LL);
    return {thousandths / common, 1000 / common};
}

Image as_frame(const Image& image, const VideoFormat& format) {
    gpu::check(image.batch() == 1 && image.width() == format.width && image.height() == format.height,
               gpu::ErrorCode::InvalidGraph, "video: expected one picture of {} x {} pixels a frame, got {} of {} x {}",
               format.width, format.height, image.batch(), image.width(), image.height());
    const Image shown = image.space == ColorSpace::Linear ? in_space(image, ColorSpace::Srgb) : image;
    const Image wide = widened({shown.tensor, ColorSpace::Srgb}, format.alpha ? 4 : 3);
    return format.alpha || !wide.has_alpha() ? wide : Image{wide.color(), ColorSpace::Srgb};
}

Video video_of(const Image& batch, const Rational& rate) { return {std::make_shared<const BatchSource>(batch, rate)}; }

Video trimmed(const Video& video, const std::vector<std::int64_t>& times, std::size_t first, std::size_t end) {
    gpu::check(first < end && end < times.size(), gpu::ErrorCode::InvalidGraph,
               "trim video: expected a range of frames below {}, got {} to {}", times.size() - 1, first, end);
    const auto begin = times.begin() + static_cast<std::ptrdiff_t>(first);
    return {std::make_shared<const TrimmedSource>(
        video.source, std::vector<std::int64_t>(begin, begin + static_cast<std::ptrdiff_t>(end - first) + 1))};
}

Video mapped(const Video& video, FrameMap map) {
    return {std::make_shared<const MappedSource>(video.source, std::move(map))};
}

SocketType SocketTraits<Video>::describe() {
    return {.title = "Video",
            .colour = "#b5546a",
            .help = "Pictures with times, read one after another, and the sound that goes with them",
            .bytes = erased<Video>([](const Video& video) { return sizeof(Video) + video.source->bytes(); }),
            .summary = erased<Video>(summary),
            .preview = erased<Video>(first_frame),
            .hash = erased<Video>([](const Video& video) { return video.source->hash(); })};
}

}  // namespace nodes
