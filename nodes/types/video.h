// video: pictures with times, read one after another. In<Video>, Out<Video>.
//
// A value is a description, not frames: where they come from and what is done with each. Nothing is decoded before
// somebody opens it, and whoever reads holds one frame at a time, so that memory does not grow with length. Times are
// exact: whole ticks of the video's own clock, as its file has them, at whatever distance.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nodes/core/socket_type.h"
#include "nodes/types/image.h"

namespace nodes {

// A fraction, denominator above 0.
struct Rational {
    std::int64_t num = 0;
    std::int64_t den = 1;

    double value() const { return static_cast<double>(num) / static_cast<double>(den); }
    friend bool operator==(const Rational&, const Rational&) = default;
};

// "30", "30000/1001".
std::string to_string(const Rational& value);

// Frames a second as a fraction: 23.976, 29.97 and the like become N * 1000 / 1001, whole numbers stay, others are
// taken to thousandths. `rate` lies in 0.001 .. 100000.
Rational frame_rate(double rate);

struct VideoFormat {
    int width = 0, height = 0;  // of every frame
    bool alpha = false;         // frames are RGBA, else RGB
    Rational tick{1, 1000};     // seconds a tick: what times count in
    Rational rate{};            // mean frames a second, 0 where nobody says
    std::int64_t frames = 0;    // as far as is known without reading them; 0: not known
    std::string codec;          // "h264", empty where nothing is encoded
    std::string audio;          // codec of the sound, empty where there is none
};

struct VideoFrame {
    Image image;                // one picture of the format's size and channels
    std::int64_t time = 0;      // ticks; the first frame's is 0 and each is later than the one before
    std::int64_t duration = 1;  // ticks until the next frame, at least 1
};

// One walk through a video. Of one thread, and not longer than the source lives.
class FrameReader {
public:
    virtual ~FrameReader() = default;
    // Nothing after the last frame. Throws BadFile for damaged frames and files that end early.
    virtual std::optional<VideoFrame> next() = 0;
};

// The sound that goes with a video: of which file, and which part. Times are the file's own, in ticks of its video.
struct AudioTrack {
    std::string path;
    std::int64_t zero = 0;                 // what is time 0 of this video
    std::optional<std::int64_t> from, to;  // between which sound is taken; none: all there is
};

// Where frames come from. Immutable, used by several threads at once.
class VideoSource {
public:
    virtual ~VideoSource() = default;
    virtual const VideoFormat& format() const = 0;
    // A walk that begins with the first frame at or after `from` ticks; frames keep their times.
    virtual std::unique_ptr<FrameReader> open(std::int64_t from = 0) const = 0;
    // The times of all frames, and where the last one ends: one number more than there are frames. Reads a file once
    // from end to end without decoding.
    virtual std::vector<std::int64_t> times() const = 0;
    virtual std::optional<AudioTrack> audio() const { return std::nullopt; }
    // A hash of what the frames are.
    virtual gpu::Hash hash() const = 0;
    virtual std::size_t bytes() const { return 0; }  // held in memory
};

struct Video {
    std::shared_ptr<const VideoSource> source;

    const VideoFormat& format() const { return source->format(); }
};

// The pictures of a batch, one each 1 / rate seconds.
Video video_of(const Image& batch, const Rational& rate);

// Frames number `first` up to and without `end` of those that `times` lists (VideoSource::times()), from time 0.
Video trimmed(const Video& video, const std::vector<std::int64_t>& times, std::size_t first, std::size_t end);

// Every frame changed by a function of it, which gives pictures of width x height, RGBA where `alpha` is true. `name`
// is for messages ("blur (video.blur)"), `key` stands for the function in hashes. The function is called from any
// thread.
struct FrameMap {
    std::function<Image(const Image&)> apply;
    int width = 0, height = 0;
    bool alpha = false;
    std::string name;
    gpu::Hash key;
};
Video mapped(const Video& video, FrameMap map);

// A picture as a frame of a video: one of RGB or RGBA in sRGB. Throws InvalidGraph where its size is another.
Image as_frame(const Image& image, const VideoFormat& format);

template <>
struct SocketTraits<Video> {
    static constexpr const char* name = "video";
    static SocketType describe();
};

}  // namespace nodes
