// The door to OpenImageIO, which lives in a module of its own that is loaded when a file needs it: Debian's OpenImageIO
// brings two hundred libraries along, half a second of start-up that a graph without such files should not pay.
//
// Plain data in both directions; nothing is thrown across.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace nodes::oiio {

enum class Status { Done, BadFile, OutOfMemory, Io };

struct Picture {
    Status status = Status::Done;
    std::string error;                       // of what is not Done: "expected ..., got ..."
    std::int64_t width = 0, height = 0;
    std::int64_t channels = 0;               // 1 gray, 3 RGB, 4 RGBA
    std::vector<float> pixels;               // interleaved, upright, alpha straight; whole numbers as 0..1
    bool linear = false;                     // colour space: linear, else sRGB
    std::string document;                    // of the attribute "heddle" or a description that looks like one
    std::vector<std::string> notes;          // what was left out or assumed
};

enum class Depth { U8, U16, Half, Float };

struct Encode {
    const char* writer = "";                 // "jpeg", "tiff", "openexr"
    Depth depth = Depth::U8;
    std::int64_t width = 0, height = 0, channels = 0;
    const float* pixels = nullptr;           // as they are to be stored: whole numbers from 0..1
    const char* space = "";                  // "sRGB", "Linear", empty: none told
    std::vector<std::pair<std::string, std::string>> attributes;

    Status status = Status::Done;            // the answer
    std::string error;
    std::vector<std::byte> bytes;
};

extern "C" {
// `header_only` leaves pixels empty.
using ReadFunction = void(const char* path, bool header_only, Picture* out);
using EncodeFunction = void(Encode* job);
ReadFunction heddle_oiio_read;
EncodeFunction heddle_oiio_encode;
}

}  // namespace nodes::oiio
