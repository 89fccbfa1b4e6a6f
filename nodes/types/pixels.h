// A picture of 8 bits a channel in ordinary memory: what datasets keep, and what fonts and vector art are drawn to.
#pragma once

#include <cstdint>
#include <vector>

namespace nodes {

struct Pixels {
    int width = 0, height = 0;
    std::vector<std::uint8_t> rgba;      // interleaved, sRGB, alpha straight
};

}  // namespace nodes
