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
constexpr std::int64_t side = 4, planes = 36;                  // its only form
constexpr std::int64_t grad_rows = 32;                         // of the weight at a time

// The gradient in the weight, G^T [sum over tiles of (B^T x B) (A dy A^T)] G. Some rows and a panel of columns at a time run through all planes,
// so that the sums stay in a cache.
class WeightGrad {
public:
    WeightGrad(const HostCall& call, const Work& work)
        : work_(work), x_(call.in[0]), dy_(call.in[1]), tiling_(dy_, work.form), to_(reinterpret_cast<float*>(call.out.data)) {}

    void run() {
        const std::int64_t tile_bytes = planes * (work_.channels + work_.columns) * std::int64_t{sizeof(float)};
        const std::vector<Block> blocks = tiling_.blocks(dy_.frames, std::max<std::int64_t>(1, most_scratch / tile_bytes));
        const std::int64_t most = blocks.front().tiles(dy_.frames);
        const std::uint64_t result = static_cast<std::uint64_t>(work_.columns * work_.channels * 9) * sizeof(float);
        streams_ = has_streams && blocks.size() == 1 && work_.depth == 1 && exceeds_caches(result);
        const Planes x{nullptr, planes, blocks.front().tiles(x_.frames), work_.channels}, dy{nullptr, planes, most, work_.columns};
        const std::size_t line = HostScratch::padded(static_cast<std::size_t>(std::max(work_.channels, work_.columns)) * sizeof(float));
        const std::int64_t row_parts = ceil_divide(work_.columns, grad_rows);
        const ColumnPanels panels(work_.channels);
        const std::size_t sums = HostScratch::padded(static_cast<std::size_t>((planes + 9) * plane_step(grad_rows * panels.widest())) * sizeof(float));
        // Parts of the gradient; where there are fewer than threads have turns at, planes are shared out instead.
        const std::int64_t parts = work_.depth * row_parts * panels.count, threads = parallel_threads();
        const bool by_planes = parts < 2 * threads;
        const auto part_of = [&](std::int64_t item) {
            const std::int64_t panel = item % panels.count, row = item / panels.count % row_parts * grad_rows;
            return Part{item / (panels.count * row_parts), row, std::min(grad_rows, work_.columns - row), panels.first(panel), panels.width(panel)};
        };
        const std::int64_t rooms = by_planes ? parts : threads;
        HostScratch scratch(HostScratch::padded(x.bytes()) + HostScratch::padded(dy.bytes()) + line + static_cast<std::size_t>(rooms) * sums);
        zeros_ = reinterpret_cast<float*>(scratch.take(line));
        std::fill_n(zeros_, line / sizeof(float), 0.0f);
        std::vector<float*> room;
        for (std::int64_t t = 0; t < rooms; ++t) room.push_back(reinterpret_cast<float*>(scratch.take(sums)));
        auto* const x_memory = reinterpret_cast<float*>(scratch.take(x.bytes()));
        auto* const dy_memory = reinterpret_cast<float*>(scratch.take(dy.bytes()));
        for (const Block& block : blocks) {
            const Planes v{x_memory, planes, block.tiles(x_.frames), work_.channels}, d{dy_memory, planes, block.tiles(dy_.frames), work_.columns};
            const std::int64_t groups = ceil_divide(v.tiles, group), grad_groups = ceil_divide(d.tiles, group);
            parallel_for(groups + grad_groups, [&](std::int64_t item, int) {
                const bool grad = item >= groups;
                const std::int64_t first = (grad ? item - groups : item) * group, last = std::min(grad ? d.tiles : v.tiles, first + group);
                for (std::int64_t i = first; i < last; ++i) grad ? transform_grad(block, i, d) : transform_map(x_, work_, Tile(block, x_.frames, i), zeros_, v, i);
            });
            const bool accumulate = &block != &blocks.front();
            if (by_planes) {
                parallel_for(parts * planes, [&](std::int64_t item, int) {
                    sum(block, part_of(item / planes), item % planes, v, d, room[static_cast<std::size_t>(item / planes)]);
                });
                parallel_for(parts, [&](std::int64_t item, int) { transform_back(part_of(item), room[static_cast<std::size_t>(item)], accumulate); });
            } else {
                parallel_for(parts, [&](std::int64_t item, int thread) {
                    float* const sums_of = room[static_cast<std::size_t>(thread)];
                    for (std::int64_t f = 0; f < planes; ++f) sum(block, part_of(item), f, v, d, sums_of);
                    transform_back(part_of(item), sums_of, accumulate);
                });
            }
        }
    }

private:
    void transform_grad(const Block& block, std::int64_t index, const Planes& d) const {
        const Tile tile(block, dy_.frames, index);
        const auto pixels = pixels_of(dy_, tile, side, tile.row * side, tile.column * side, zeros_);
        tile_kernels().winograd_result_grad(pixels.data(), side * dy_.pixel, d.tile(index), d.step(), d.channels);
    }

    // Of the gradient: tap `depth` along frames, some outputs and a panel of inputs.
    struct Part {
        std::int64_t depth, row, rows, column, columns;

        std::int64_t plane() const { return plane_step(rows * columns); }
    };

    // One plane of a part's sum over a block.
    void sum(const Block& block, const Part& part, std::int64_t f, const Planes& v, const Planes& d, float* room) const {
        const std::int64_t per_frame = block.rows * block.columns;
        // Frames of the gradient for which the tap lies in the map.
        const std::int64_t shift = part.depth - work_.frames_before, from = std::max<std::int64_t>(0, -shift), to = std::min(dy_.frames, x_.frames - shift);
        const bool all = dy_.frames == x_.frames && shift == 0;      // pictures follow one another without a gap
        bool begun = false;
        const auto add = [&](std::int64_t first, std::int64_t first_grad, std::int64_t tiles) {
            for (std::int64_t t = 0; t < tiles; t += chunk_terms) {
                tile_kernels().product({.rows = part.rows, .columns = part.columns, .terms = std::min(chunk_terms, tiles - t),
                                        .a = d.tile(first_grad + t) + f * d.step() + part.row, .a_row = 1, .a_term = d.channels,
                                        .b = v.tile(first + t) + f * v.step() + part.column, .b_term = v.channels,
                                        .c = room + f * part.plane(), .c_row = part.columns, .accumulate = begun});
                begun = true;
            }
        };
        if (all) {
            add(0, 0, d.tiles);
        } else {
            for (std::int64_t p = 0; p < block.pictures && to > from; ++p)
                add((p * x_.frames + from + shift) * per_frame, (p * dy_.frames + from) * per_frame, (to - from) * per_frame);
        }
        if (!begun) std::fill_n(room + f * part.plane(), part.rows * part.columns, 0.0f);
    }

    // The taps of a part from its planes, where they belong.
    void transform_back(const Part& part, float* room, bool accumulate) const {
        const std::int64_t plane = part.plane();
        float* const taps = room + planes * plane;      // [9, rows, columns]
        std::array<float*, 9> lines;
        for (std::int64_t tap = 0; tap < 9; ++tap) lines[static_cast<std::size_t>(tap)] = taps + tap * plane;
        tile_kernels().winograd_weight_grad(room, plane, lines.data(), part.rows * part.columns);
        for (std::int64_t r = 0; r < part.rows; ++r) {
            const float* const line = taps + r * part.columns;
            float* const target = to_ + (((part.row + r) * work_.channels + part.column) * work_.depth + part.depth) * 9;
            if (streams_) {
                interleave(line, plane, 9, part.columns, room, 9, false);
                stream(room, part.columns * 9, target);
            } else {
                interleave(line, plane, 9, part.columns, target, work_.depth * 9, accumulate);
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
