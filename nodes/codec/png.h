// PNG through QtGui: the format that most graphs write, without the start-up of OpenImageIO.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nodes {

struct PngPicture {
    int width = 0;
    int height = 0;
    int channels = 0;                      // 1 gray, 3 RGB, 4 RGBA with straight alpha
    std::vector<float> pixels;             // interleaved, 0..1
    bool linear = false;                   // the file says so; else sRGB
    std::string document;                  // text chunk "heddle"
    std::vector<std::string> notes;
};

bool is_png(std::span<const std::byte> bytes);

// The first text chunk of this keyword (tEXt, zTXt or iTXt), as it stands in the file; empty where there is none.
std::string png_text(std::span<const std::byte> bytes, std::string_view keyword);

// Gray with alpha becomes RGBA. Throws Error{BadFile}, OutOfMemory.
PngPicture decode_png(std::span<const std::byte> bytes, bool header_only = false);

// 8 or 16 bits a channel; values are cut to 0..1 and rounded. `srgb`: says in the file that the colours are sRGB.
std::vector<std::byte> encode_png(const PngPicture& picture, int bits, bool srgb);

}  // namespace nodes
