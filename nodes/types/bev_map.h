// bev-map: what is painted on a street, as a raster from above. In<BevMap>, Out<BevMap>.
#pragma once

#include "nodes/core/socket_type.h"
#include "nodes/types/street.h"
#include "nodes/types/tensor.h"

namespace nodes {

// F32 [1, 8, H, W] of zeros and ones, a channel for each of lane_classes(). As MagicDrive (arXiv:2310.02601) has it: rows go to the right,
// columns forward, so that as a picture its left is the back and its top the left.
struct BevMap {
    Tensor tensor;
    double range = 50;           // metres that it reaches in each direction
    std::int64_t cells() const { return tensor.size(2); }
};

// The cell of a place: row = (x + range) / cell, column = (y + range) / cell, cells of 2 * range / cells metres. A cell belongs to an area
// or a band when its middle lies inside, by the even-odd rule, and to a line when that is at most half of `line` cells away.
std::vector<float> rasterised(const Lanes& lanes, double range, int cells, double line);      // [8, cells, cells]

template <>
struct SocketTraits<BevMap> {
    static constexpr const char* name = "bev-map";
    static SocketType describe();
};

}  // namespace nodes
