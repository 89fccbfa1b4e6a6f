// A picture in 256 colours, as GIF wants it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace nodes::libav {

struct Paletted {
    std::array<std::uint32_t, 256> colors{};  // 0xAARRGGBB; those that are not needed are opaque black
    std::size_t used = 0;                     // the first so many, and the last where pixels are clear
    std::vector<std::uint8_t> indices;        // a pixel each
};

// Interleaved RGB, or RGBA with alpha below one half becoming entry 255, which is transparent. Colours are those of the
// picture where they are few enough, else chosen by median cut (Heckbert 1982) and spread by error diffusion (Floyd and
// Steinberg 1976).
Paletted paletted(std::span<const std::uint8_t> pixels, int width, int height, bool alpha);

}  // namespace nodes::libav
