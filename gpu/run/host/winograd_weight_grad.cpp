// The gradient of a convolution in its weight by Winograd's transforms.
#include "gpu/run/host/column_panels.h"
#include "gpu/run/host/interleave.h"
#include "gpu/run/host/parallel.h"
#include "gpu/run/host/scratch.h"
#include "gpu/run/host/stream.h"
#include "gpu/run/host/winograd_tiles.h"

namespace gpu::winograd {
namespace {

constexpr std::int64_t most_scratch = std::int64_t{8} << 20;   // bytes of transformed values at a time: read for each part of the weight, so in a cache
constexpr std::int64_t grad_rows = 32;                         // of the weight at a time

// The gradient in the weight, G^T [sum over tiles of (B^T x B) (A dy A^T)] G. Some rows and a panel of columns at a time run through all planes,
// so that the sums stay in a cache.
class WeightGrad {
public:
    WeightGrad(const HostCall& call, const Work& work)
        : work_(work), x_(call.in[0]), dy_(call.in[1]), tiling_(dy_), to_(reinterpret_cast<float*>(call.out.data)) {}

    void run() {
        const std::int64_t tile_bytes = planes * (work_.channels + work_.columns) * std::int64_t{sizeof(float)};
        const std::vector<Block> blocks = tiling_.blocks(dy_.frames, std::max<std::int64_t>(1, most_scratch / tile_bytes));
        const std::int64_t most = blocks.front().tiles(dy_.frames);
        streams_ = blocks.size() == 1 && work_.depth == 1 && exceeds_caches(static_cast<std::uint64_t>(work_.columns * work_.channels * 9) * sizeof(float));
        const Planes x{nullptr, blocks.front().tiles(x_.frames), work_.channels}, dy{nullptr, most, work_.columns};
        const std::size_t line = HostScratch::padded(static_cast<std::size_t>(std::max(work_.channels, work_.columns)) * sizeof(float));
        const std::size_t sums = HostScratch::padded(static_cast<std::size_t>((planes + 9) * plane_step(grad_rows * ColumnPanels(work_.channels).widest())) * sizeof(float));
        const std::int64_t threads = parallel_threads();
        HostScratch scratch(HostScratch::padded(x.bytes()) + HostScratch::padded(dy.bytes()) + line + static_cast<std::size_t>(threads) * sums);
        zeros_ = reinterpret_cast<float*>(scratch.take(line));
        std::fill_n(zeros_, line / sizeof(float), 0.0f);
        std::vector<float*> room;
        for (std::int64_t t = 0; t < threads; ++t) room.push_back(reinterpret_cast<float*>(scratch.take(sums)));
        auto* const x_memory = reinterpret_cast<float*>(scratch.take(x.bytes()));
        auto* const dy_memory = reinterpret_cast<float*>(scratch.take(dy.bytes()));
        const std::int64_t row_parts = ceil_divide(work_.columns, grad_rows);
        const ColumnPanels panels(work_.channels);
        for (const Block& block : blocks) {
            const Planes v{x_memory, block.tiles(x_.frames), work_.channels}, d{dy_memory, block.tiles(dy_.frames), work_.columns};
            const std::int64_t groups = ceil_divide(v.tiles, group), grad_groups = ceil_divide(d.tiles, group);
            parallel_for(groups + grad_groups, [&](std::int64_t item, int) {
                const bool grad = item >= groups;
                const std::int64_t first = (grad ? item - groups : item) * group, last = std::min(grad ? d.tiles : v.tiles, first + group);
                for (std::int64_t i = first; i < last; ++i) grad ? transform_grad(block, i, d) : transform_map(x_, work_, Tile(block, x_.frames, i), zeros_, v, i);
            });
            parallel_for(work_.depth * row_parts * panels.count, [&](std::int64_t item, int thread) {
                const std::int64_t panel = item % panels.count, part = item / panels.count;
                sum(block, part / row_parts, part % row_parts * grad_rows, panels.first(panel), panels.width(panel), v, d,
                    room[static_cast<std::size_t>(thread)], &block != &blocks.front());
            });
        }
    }

private:
    void transform_grad(const Block& block, std::int64_t index, const Planes& d) const {
        const Tile tile(block, dy_.frames, index);
        const auto pixels = pixels_of<side>(dy_, tile, tile.row * side, tile.column * side, zeros_);
        tile_kernels().winograd_result_grad(pixels.data(), side * dy_.pixel, d.tile(index), d.step(), d.channels);
    }

    // Adds a block's part of tap `depth` along frames, of outputs from `row` and inputs from `column` on.
    void sum(const Block& block, std::int64_t depth, std::int64_t row, std::int64_t column, std::int64_t columns, const Planes& v, const Planes& d,
             float* room, bool accumulate) const {
        const std::int64_t rows = std::min(grad_rows, work_.columns - row);
        const std::int64_t per_frame = block.rows * block.columns, plane = plane_step(rows * columns);
        // Frames of the gradient for which the tap lies in the map.
        const std::int64_t shift = depth - work_.frames_before, from = std::max<std::int64_t>(0, -shift), to = std::min(dy_.frames, x_.frames - shift);
        const bool all = dy_.frames == x_.frames && shift == 0;      // pictures follow one another without a gap
        for (std::int64_t f = 0; f < planes; ++f) {
            bool begun = false;
            const auto add = [&](std::int64_t first, std::int64_t first_grad, std::int64_t tiles) {
                for (std::int64_t t = 0; t < tiles; t += chunk_terms) {
                    tile_kernels().product({.rows = rows, .columns = columns, .terms = std::min(chunk_terms, tiles - t),
                                            .a = d.tile(first_grad + t) + f * d.step() + row, .a_row = 1, .a_term = d.channels,
                                            .b = v.tile(first + t) + f * v.step() + column, .b_term = v.channels,
                                            .c = room + f * plane, .c_row = columns, .accumulate = begun});
                    begun = true;
                }
            };
            if (all) {
                add(0, 0, d.tiles);
            } else {
                for (std::int64_t p = 0; p < block.pictures && to > from; ++p)
                    add((p * x_.frames + from + shift) * per_frame, (p * dy_.frames + from) * per_frame, (to - from) * per_frame);
            }
            if (!begun) std::fill_n(room + f * plane, rows * columns, 0.0f);
        }
        float* const taps = room + planes * plane;      // [9, rows, columns]
        std::array<float*, 9> lines;
        for (std::int64_t tap = 0; tap < 9; ++tap) lines[static_cast<std::size_t>(tap)] = taps + tap * plane;
        tile_kernels().winograd_weight_grad(room, plane, lines.data(), rows * columns);
        const auto target = [&](std::int64_t r) { return to_ + (((row + r) * work_.channels + column) * work_.depth + depth) * 9; };
        for (std::int64_t r = 0; r < rows; ++r) {
            if (streams_) {
                interleave(taps + r * columns, plane, 9, columns, room, 9, false);
                stream(room, columns * 9, target(r));
            } else {
                interleave(taps + r * columns, plane, 9, columns, target(r), work_.depth * 9, accumulate);
            }
        }
        if (streams_) finish_streams();
    }

    const Work& work_;
    const Map x_, dy_;
    const Tiling tiling_;
    float* const to_;
    float* zeros_ = nullptr;
    bool streams_ = false;      // the gradient is written once, row by row, and larger than the caches
};

}  // namespace

void weight_gradient(const HostCall& call, const Work& work) { WeightGrad(call, work).run(); }

}  // namespace gpu::winograd
