// How Winograd's convolution cuts maps into tiles, and where their transformed values lie: shared by winograd.cpp and
// winograd_weight_grad.cpp.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "gpu/base/divide.h"
#include "gpu/run/host/conv.h"
#include "gpu/run/host/tile.h"

namespace gpu::winograd {

// F(side x side, 3 x 3): the results of a tile, and the window of pixels that they see. The larger one takes fewer multiplications, the smaller
// one less memory for its weight.
struct Form {
    std::int64_t side = 4;      // or 2

    std::int64_t window() const { return side + 2; }
    std::int64_t planes() const { return window() * window(); }
    const WinogradKernels& kernels() const { return side == 4 ? tile_kernels().winograd_4x4 : tile_kernels().winograd_2x2; }
};

inline constexpr std::int64_t group = 8;                              // tiles that a thread transforms at a time
inline constexpr std::int64_t chunk_terms = 160;                      // of a product: what stays in the first cache

// A map of pictures; maps of two axes have one frame.
struct Map {
    float* data;
    std::int64_t picture, frame, row, pixel;      // strides
    std::int64_t pictures, frames, height, width, channels;

    explicit Map(const HostOperand& o) : data(reinterpret_cast<float*>(o.data)) {
        const std::size_t rank = o.shape.size();
        picture = o.strides[0], frame = rank == 5 ? o.strides[2] : 0, row = o.strides[rank - 2], pixel = o.strides[rank - 1];
        pictures = o.shape[0], frames = rank == 5 ? o.shape[2] : 1, height = o.shape[rank - 2], width = o.shape[rank - 1], channels = o.shape[1];
    }
};

// Tiles of whole pictures, of some rows of one, or of a part of a row.
struct Block {
    std::int64_t picture, pictures, row, rows, column, columns;

    // Of maps of so many frames.
    std::int64_t tiles(std::int64_t frames) const { return pictures * frames * rows * columns; }
};

// How tiles cover a map of results: frame by frame, row by row.
struct Tiling {
    std::int64_t pictures, rows, columns;

    Tiling(const Map& result, const Form& form)
        : pictures(result.pictures), rows(ceil_divide(result.height, form.side)), columns(ceil_divide(result.width, form.side)) {}

    // Blocks of `most` tiles or fewer, as even as they can be. All frames of a tile stay together, since results read several.
    std::vector<Block> blocks(std::int64_t frames, std::int64_t most) const {
        const std::int64_t per_row = frames * columns, per_picture = per_row * rows;
        const auto step_of = [&](std::int64_t length, std::int64_t each) { return ceil_divide(length, ceil_divide(length, std::max<std::int64_t>(1, most / each))); };
        const std::int64_t picture_step = step_of(pictures, per_picture), row_step = step_of(rows, per_row), column_step = step_of(columns, frames);
        const std::int64_t row_part = per_picture > most ? row_step : rows, column_part = per_row > most ? column_step : columns;
        std::vector<Block> result;
        for (std::int64_t n = 0; n < pictures; n += picture_step)
            for (std::int64_t row = 0; row < rows; row += row_part)
                for (std::int64_t column = 0; column < columns; column += column_part)
                    result.push_back({n, std::min(picture_step, pictures - n), row, std::min(row_part, rows - row), column,
                                      std::min(column_part, columns - column)});
        return result;
    }
};

// A tile of a block: tiles count through pictures, frames, rows and columns.
struct Tile {
    std::int64_t picture, frame, row, column;

    Tile(const Block& block, std::int64_t frames, std::int64_t index) {
        column = block.column + index % block.columns;
        row = block.row + index / block.columns % block.rows;
        frame = index / (block.columns * block.rows) % frames;
        picture = block.picture + index / (block.columns * block.rows * frames);
    }
};

// Where the size x size pixels of a tile from (top, left) on lie; `outside` for those that the map does not have.
inline std::array<float*, 36> pixels_of(const Map& map, const Tile& tile, std::int64_t size, std::int64_t top, std::int64_t left, float* outside) {
    std::array<float*, 36> pixels;
    float* const frame = map.data + tile.picture * map.picture + tile.frame * map.frame;
    for (std::int64_t y = 0; y < size; ++y)
        for (std::int64_t x = 0; x < size; ++x) {
            const std::int64_t row = top + y, column = left + x;
            const bool inside = row >= 0 && row < map.height && column >= 0 && column < map.width;
            pixels[static_cast<std::size_t>(y * size + x)] = inside ? frame + row * map.row + column * map.pixel : outside;
        }
    return pixels;
}

// From plane to plane of so many floats: a cache line more, since planes whose distance is a power of two would fall on one another in a cache.
constexpr std::int64_t plane_step(std::int64_t floats) { return floats + 16; }

// Transformed values of tiles: planes of [tiles, channels].
struct Planes {
    float* data = nullptr;
    std::int64_t count = 0, tiles = 0, channels = 0;

    std::int64_t step() const { return plane_step(tiles * channels); }
    std::size_t bytes() const { return static_cast<std::size_t>(count * step()) * sizeof(float); }
    float* tile(std::int64_t index) const { return data + index * channels; }
};

// A convolution of stride 1 as its transforms see it; the gradient in the map is one too, of the weight turned around.
struct Work {
    Form form;
    std::int64_t depth, frames_before, above, left;      // taps along frames; zeros before the map
    std::int64_t channels, columns;                      // of the map and of the result
    bool turned;                                         // the weight is [channels, columns, ...], its taps from the last to the first

    Work(const ConvProblem& p, ConvPass pass, const Form& form) : form(form) {
        const std::size_t rank = p.geometry.rank();
        const bool deep = rank == 3;
        turned = pass == ConvPass::InputGrad;
        depth = deep ? p.w[2] : 1;
        const auto before = [&](std::size_t axis, std::int64_t taps) { return turned ? taps - 1 - p.geometry.before[axis] : p.geometry.before[axis]; };
        frames_before = deep ? before(0, depth) : 0;
        above = before(rank - 2, 3), left = before(rank - 1, 3);
        channels = turned ? p.w[0] : p.w[1];
        columns = turned ? p.w[1] : p.w[0];
    }

    std::int64_t weight_plane() const { return depth * channels * columns; }
    std::uint64_t weight_bytes() const { return static_cast<std::uint64_t>(form.planes() * weight_plane()) * sizeof(float); }
};

// Transforms the pixels that a tile's results see. `zeros`: a line of them.
inline void transform_map(const Map& map, const Work& work, const Tile& tile, float* zeros, const Planes& to, std::int64_t index) {
    const std::int64_t side = work.form.side;
    const auto pixels = pixels_of(map, tile, work.form.window(), tile.row * side - work.above, tile.column * side - work.left, zeros);
    work.form.kernels().map(pixels.data(), side * map.pixel, to.tile(index), to.step(), to.channels);
}

// In winograd_weight_grad.cpp: dw of x and dy.
void weight_gradient(const HostCall& call, const Work& work);

}  // namespace gpu::winograd
