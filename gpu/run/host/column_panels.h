// The columns of a matrix in panels of up to three vectors of tile_kernels(), as even as they can be: four vectors are two and two.
#pragma once

#include "gpu/base/divide.h"
#include "gpu/run/host/tile.h"

namespace gpu {

struct ColumnPanels {
    std::int64_t vectors, count;

    // `columns`: a multiple of lanes.
    explicit ColumnPanels(std::int64_t columns) : vectors(columns / tile_kernels().lanes), count(ceil_divide(vectors, 3)) {}
    std::int64_t first(std::int64_t panel) const { return vectors * panel / count * tile_kernels().lanes; }
    std::int64_t width(std::int64_t panel) const { return first(panel + 1) - first(panel); }
    std::int64_t widest() const { return ceil_divide(vectors, count) * tile_kernels().lanes; }
};

}  // namespace gpu
