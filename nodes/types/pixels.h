// A picture of 8 bits a channel in ordinary memory: what datasets keep, and what fonts and vector art are drawn to.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace nodes {

struct Pixels {
    int width = 0, height = 0;
    std::vector<std::uint8_t> rgba;      // interleaved, sRGB, alpha straight
};

// Values of 0..1 as whole numbers of 8 bits, rounded to nearest; NaN becomes 0.
inline std::vector<std::uint8_t> quantised(std::span<const float> values) {
    std::vector<std::uint8_t> out(values.size());
    std::ranges::transform(values, out.begin(),
                           [](float v) { return static_cast<std::uint8_t>(v > 0 ? std::min(v, 1.0f) * 255 + 0.5f : 0); });
    return out;
}

}  // namespace nodes
