#include "nodes/models/tiles/tiles.h"

#include <algorithm>
#include <cmath>

#include "gpu/base/error.h"
#include "gpu/run/evaluate.h"

namespace nodes {
namespace {

using gpu::Tensor;
using Results = gpu::Tensors;
using Work = std::function<Results(const Tensor&)>;

// Where tiles begin along an axis of `length` cells: evenly spread, the first and the last flush with the ends.
std::vector<std::int64_t> tile_starts(std::int64_t length, std::int64_t side, std::int64_t overlap) {
    if (length <= side) return {0};
    const std::int64_t gaps = (length - overlap + side - overlap - 1) / (side - overlap) - 1;
    std::vector<std::int64_t> starts;
    for (std::int64_t i = 0; i <= gaps; ++i) starts.push_back(std::llround(double(i) * double(length - side) / double(gaps)));
    return starts;
}

// The weight of each element of a tile along an axis: rises over the overlap from a border inside the picture.
std::vector<float> fade(std::int64_t count, std::int64_t ramp, bool at_start, bool at_end) {
    std::vector<float> weights(static_cast<std::size_t>(count), 1.0F);
    for (std::int64_t i = 0; i < std::min(ramp, count); ++i) {
        const float weight = (float(i) + 0.5F) / float(ramp);
        if (!at_start) weights[static_cast<std::size_t>(i)] *= weight;
        if (!at_end) weights[static_cast<std::size_t>(count - 1 - i)] *= weight;
    }
    return weights;
}

// A sum of weighted tiles, [C, H, W].
struct Canvas {
    std::int64_t channels, height, width;
    std::vector<float> sum, weight;      // weight [H, W]

    Canvas(std::int64_t c, std::int64_t h, std::int64_t w)
        : channels(c), height(h), width(w), sum(static_cast<std::size_t>(c * h * w)), weight(static_cast<std::size_t>(h * w)) {}
    void add(const std::vector<float>& tile, std::int64_t top, std::int64_t left, const std::vector<float>& down, const std::vector<float>& across) {
        const std::size_t w = across.size();
        for (std::size_t y = 0; y < down.size(); ++y) {
            const std::size_t row = (static_cast<std::size_t>(top) + y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(left);
            for (std::size_t x = 0; x < w; ++x) weight[row + x] += down[y] * across[x];
            for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
                const float* from = tile.data() + (c * down.size() + y) * w;
                float* to = sum.data() + c * weight.size() + row;
                for (std::size_t x = 0; x < w; ++x) to[x] += down[y] * across[x] * from[x];
            }
        }
    }
    Tensor finish() {
        for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c)
            for (std::size_t i = 0; i < weight.size(); ++i) sum[c * weight.size() + i] /= weight[i];
        return gpu::tensor(sum, {1, channels, height, width});
    }
};

// One picture [1, C, H, W] in tiles of `side` cells; they are worked on one after the other.
Results tiled(const Tensor& x, TileScale scale, std::int64_t side, std::int64_t overlap, const Work& work, const std::function<void()>& step) {
    const std::int64_t h = x.size(2) / scale.in, w = x.size(3) / scale.in, tile_h = std::min(h, side), tile_w = std::min(w, side);
    std::vector<Canvas> canvases;
    for (const std::int64_t top : tile_starts(h, side, overlap))
        for (const std::int64_t left : tile_starts(w, side, overlap)) {
            const Tensor rows = gpu::slice(x, 2, top * scale.in, (top + tile_h) * scale.in);
            const Results parts = work(gpu::slice(rows, 3, left * scale.in, (left + tile_w) * scale.in));
            gpu::evaluate(parts);
            const std::int64_t ramp = overlap * scale.out;
            const std::vector<float> down = fade(tile_h * scale.out, ramp, top == 0, top + tile_h == h);
            const std::vector<float> across = fade(tile_w * scale.out, ramp, left == 0, left + tile_w == w);
            for (std::size_t i = 0; i < parts.size(); ++i) {
                if (canvases.size() <= i) canvases.emplace_back(parts[i].size(1), h * scale.out, w * scale.out);
                canvases[i].add(gpu::to_floats(parts[i]), top * scale.out, left * scale.out, down, across);
            }
            step();
        }
    Results results;
    for (Canvas& canvas : canvases) results.push_back(canvas.finish());
    return results;
}

}  // namespace

Results in_tiles(const Tensor& x, TileScale scale, const TileOptions& options, const char* verb, const Work& work) {
    const std::int64_t factor = std::max(scale.in, scale.out), h = x.size(2) / scale.in, w = x.size(3) / scale.in;
    const auto cells = [&](std::int64_t pixels) { return (pixels + factor - 1) / factor; };
    constexpr std::int64_t smallest = 8;      // cells: below it a tile is mostly border
    std::int64_t side = std::max(smallest, cells(options.side));
    bool whole = options.tiles != Tiles::On || std::max(h, w) <= side;
    std::int64_t done = 0;
    std::vector<Results> pictures;
    while (static_cast<std::int64_t>(pictures.size()) < x.size(0)) {
        const auto n = static_cast<std::int64_t>(pictures.size());
        const Tensor one = gpu::slice(x, 0, n, n + 1);
        const std::int64_t overlap = std::clamp<std::int64_t>(cells(options.overlap), 1, side * 3 / 4);
        const auto per_picture = whole ? 1 : static_cast<std::int64_t>(tile_starts(h, side, overlap).size() * tile_starts(w, side, overlap).size());
        const auto step = [&] {
            if (options.progress) options.progress(std::min(++done, per_picture * x.size(0)), per_picture * x.size(0));
        };
        try {
            if (whole) {
                Results parts = work(one);
                gpu::evaluate(parts);
                step();
                pictures.push_back(std::move(parts));
            } else {
                pictures.push_back(tiled(one, scale, side, overlap, work, step));
            }
        } catch (const gpu::Error& error) {
            if (error.code() != gpu::ErrorCode::OutOfMemory || options.tiles != Tiles::Auto) throw;
            if (!whole && side <= smallest) throw;
            // The largest tile that is smaller than what did not fit.
            std::int64_t next = whole ? side : side / 2;
            while (next >= std::max(h, w) && next > smallest) next = std::max(smallest, next / 2);
            if (next >= std::max(h, w)) throw;
            whole = false;
            side = std::max(smallest, next);
            done = 0;
            if (options.warn)
                options.warn(gpu::format("{}: memory does not suffice for {} x {} px at once, goes on in tiles of {} px ({})", verb, w * factor, h * factor,
                                         side * factor, error.message()));
        }
    }
    Results results;
    for (std::size_t i = 0; i < pictures[0].size(); ++i) {
        Results parts;
        for (const Results& picture : pictures) parts.push_back(picture[i]);
        results.push_back(parts.size() == 1 ? parts[0] : gpu::concat(parts, 0));
    }
    gpu::evaluate(results);
    return results;
}

}  // namespace nodes
