// A picture put somewhere in a frame: what framed and moving pictures are drawn with.
#pragma once

#include <array>
#include <span>

#include "nodes/types/pixels.h"

namespace nodes {

struct Placement {
    double scale = 1;                  // frame's pixels for one of the picture's
    double dx = 0, dy = 0;             // of its middle from the frame's, in the frame's pixels
    double angle = 0;                  // radians, to the right
    bool mirrored = false;
    std::array<std::size_t, 3> channels{0, 1, 2};      // where each colour goes
};

// Into [3, height, width] in 0..1, over the background; each pixel is a mean of enough samples that none of the picture's is passed over.
void draw_placed(const Pixels& picture, const Placement& at, int width, int height, const float* background, std::span<float> out);

}  // namespace nodes
