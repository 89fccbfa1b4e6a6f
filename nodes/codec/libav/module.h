// The door to FFmpeg's libraries, which live in a module of their own that is loaded when a video is read or written:
// they bring over a hundred libraries along, 30 ms of start-up that a graph without videos should not pay.
//
// Plain data and abstract classes; nothing is thrown across. All that is read or written goes through the caller's
// files: libav opens none by itself, so that a crafted file can not name others or reach the network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace nodes::libav {

enum class Status { Done, End, BadFile, Unsupported, OutOfMemory, Io };

struct Answer {
    Status status = Status::Done;
    std::string error;  // of what is not Done or End: "expected ..., got ..."
};

struct Fraction {
    std::int64_t num = 0, den = 1;
};

// What a file says of itself. Times count in ticks from the first frame on.
struct Facts {
    int width = 0, height = 0;  // upright
    bool alpha = false;
    bool deep = false;         // more than 8 bits a channel: frames come as 16 bits
    Fraction tick;             // seconds
    std::int64_t origin = 0;   // the first frame's time by the file's own clock, in ticks
    Fraction rate;             // frames a second, 0 where unknown
    std::int64_t frames = 0;   // 0 where unknown
    std::string codec, audio;  // names; audio is empty where there is none
    std::string document;      // metadata "heddle"
    std::vector<std::string> notes;
};

struct Frame {
    std::vector<std::uint8_t> pixels;     // interleaved RGB or RGBA, 8 bits a channel, or 16 in the machine's order
    std::int64_t time = 0, duration = 1;  // ticks
};

class Decoder {
public:
    virtual ~Decoder() = default;
    virtual const Facts& facts() const = 0;
    // The next frame; the first call gives the first one.
    virtual Answer next(Frame& out) = 0;
    // Goes on with the first frame at or after `time`.
    virtual Answer seek(std::int64_t time) = 0;
    // The times of all frames and where the last one ends, from packets alone. Only next() of a new decoder may follow.
    virtual Answer times(std::vector<std::int64_t>& out) = 0;
};

// A file that is being written. The functions return whether it was done; the implementation keeps the reason.
class Sink {
public:
    virtual ~Sink() = default;
    virtual bool write(std::int64_t offset, const std::uint8_t* bytes, std::size_t size) noexcept = 0;
};

struct Audio {
    std::string path;       // of a file with a video stream; empty: none
    std::int64_t zero = 0;  // the time by that file's clock, in its video's ticks, that becomes 0
    bool has_from = false, has_to = false;
    std::int64_t from = 0, to = 0;  // by the same clock: between which packets are taken
};

enum class Container { Mp4, Mov, WebM, Matroska, Gif, Apng, WebP };
enum class Codec { Auto, H264, Mpeg4, Vp9 };  // of the first four containers

struct EncodeJob {
    Container container = Container::Mp4;
    Codec codec = Codec::Auto;
    int width = 0, height = 0;
    bool alpha = false;    // frames are RGBA
    Fraction tick, rate;   // of the frames' times; the rate may be 0
    int quality = 75;      // 1..100
    int loops = 0;         // Gif, Apng, WebP: times that it is shown, 0 without end
    std::string document;  // JSON in ASCII, empty: none
    Audio audio;
    Sink* sink = nullptr;  // outlives the encoder
};

class Encoder {
public:
    virtual ~Encoder() = default;
    // Interleaved RGB or RGBA, 8 bits a channel; times in ticks, each later than the one before.
    virtual Answer add(const std::uint8_t* pixels, std::int64_t time, std::int64_t duration) = 0;
    virtual Answer finish() = 0;
    virtual const std::vector<std::string>& warnings() const = 0;
    virtual const std::string& codec() const = 0;  // "libx264"
};

// Whether a file holds alpha.
inline bool holds_alpha(Container container, Codec codec) {
    switch (container) {
        case Container::Mp4:
        case Container::Mov: return false;
        case Container::Matroska: return codec == Codec::Vp9;
        default: return true;
    }
}

extern "C" {
// Null where the answer is not Done. The caller deletes the object.
using OpenFunction = Decoder*(const char* path, Answer* answer);
using EncodeFunction = Encoder*(const EncodeJob* job, Answer* answer);
OpenFunction heddle_libav_open;
EncodeFunction heddle_libav_encode;
}

}  // namespace nodes::libav
