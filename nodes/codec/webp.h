// WebP by its own library: OpenImageIO's writer and reader multiply alpha into 8-bit values and lose colours doing so.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace nodes {

struct WebpPixels {
    int width = 0;
    int height = 0;
    bool has_alpha = false;
    std::vector<std::uint8_t> pixels;      // RGB or RGBA, interleaved, alpha straight
};

// Whether the bytes start as a WebP file does.
bool is_webp(std::span<const std::byte> bytes);

// Throws Error{BadFile} unless it is one whole still picture.
WebpPixels decode_webp(std::span<const std::byte> bytes);

// quality 1..100, 100 is lossless; `exif` is the block that goes with it (exif.h), empty for none. Throws Error{InvalidGraph} above 16383 pixels a side, OutOfMemory.
std::vector<std::byte> encode_webp(const WebpPixels& picture, int quality, std::span<const std::byte> exif = {});

}  // namespace nodes
