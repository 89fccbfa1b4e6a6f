// Networks on batches and large pictures: one picture after the other, in tiles where memory asks for it.
//
// Tiles overlap and fade into each other linearly. A tile's values near its border lack what lies outside, and norms over all
// cells see the tile alone; so tiles of a model with group norms differ a little in tone, which the fade hides.
#pragma once

#include <functional>
#include <string>

#include "gpu/ops.h"

namespace nodes {

enum class Tiles { Auto, Off, On };      // Auto: when memory does not suffice for the whole

struct TileOptions {
    Tiles tiles = Tiles::Auto;
    int side = 512;                      // of a tile, in pixels of the larger picture, rounded up to whole cells
    int overlap = 64;                    // of neighbours, in the same pixels, at most three quarters of a tile
    std::function<void(std::int64_t done, std::int64_t total)> progress = {};
    std::function<void(const std::string& message)> warn = {};      // what Auto did
};

// How many elements a cell is along an axis, of what goes in and of what comes out: one of them is 1, the other a factor.
struct TileScale {
    std::int64_t in = 1, out = 1;
};

// work() of every picture of a batch [N, C, H, W], H and W multiples of scale.in, evaluated: tensors [N, C', H out / in, W out / in].
// Auto goes on with tiles where the whole throws OutOfMemory, and with smaller ones where tiles do; what stays too large throws it.
// `verb` begins its warnings ("decode").
gpu::Tensors in_tiles(const gpu::Tensor& x, TileScale scale, const TileOptions& options, const char* verb,
                      const std::function<gpu::Tensors(const gpu::Tensor&)>& work);

}  // namespace nodes
