#include "gpu/run/host/winograd.h"

#include <algorithm>
#include <array>

#include "gpu/base/cancel.h"
#include "gpu/base/divide.h"
#include "gpu/run/host/column_panels.h"
#include "gpu/run/host/kept.h"
#include "gpu/run/host/parallel.h"
#include "gpu/run/host/post_ops.h"
#include "gpu/run/host/scratch.h"
#include "gpu/run/host/tile.h"
#include "gpu/run/host/widen.h"

namespace gpu {
namespace {

constexpr std::int64_t planes = 36, side = 4, window = 6;      // of a tile: 4 x 4 results of 6 x 6 pixels
constexpr std::int64_t most_scratch = std::int64_t{32} << 20;  // transformed values at a time
constexpr std::int64_t grad_scratch = std::int64_t{8} << 20;   // those of a weight's gradient: read for each of its parts, so in a cache
constexpr std::uint64_t most_made = std::uint64_t{64} << 20;   // bytes of a weight that is transformed for one call, or for few tiles
constexpr std::int64_t cached = std::int64_t{1} << 20;                 // those that one thread works on alone
constexpr std::int64_t group = 8;                              // tiles that a thread transforms at a time
constexpr std::int64_t chunk_terms = 160, chunk_rows = 256;    // of a product: what stays in the first cache, and in the second
constexpr std::int64_t grad_rows = 32;                         // of a weight's gradient at a time

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

// Tiles of whole pictures, or of some rows of one.
struct Block {
    std::int64_t picture, pictures, row, rows;
};

// How tiles cover a map of results: frame by frame, row by row.
struct Tiling {
    std::int64_t pictures, rows, columns;

    explicit Tiling(const Map& result)
        : pictures(result.pictures), rows(ceil_divide(result.height, side)), columns(ceil_divide(result.width, side)) {}

    // Blocks of about `most` tiles or fewer, all frames of a picture together.
    std::vector<Block> blocks(std::int64_t frames, std::int64_t most) const {
        const std::int64_t per_row = frames * columns, per_picture = per_row * rows;
        const bool cut = per_picture > most;
        const std::int64_t length = cut ? rows : pictures;
        const std::int64_t count = ceil_divide(length, std::max<std::int64_t>(1, most / (cut ? per_row : per_picture))), step = ceil_divide(length, count);
        std::vector<Block> result;
        for (std::int64_t n = 0; n < (cut ? pictures : 1); ++n)
            for (std::int64_t first = 0; first < length; first += step) {
                const std::int64_t taken = std::min(step, length - first);
                result.push_back(cut ? Block{n, 1, first, taken} : Block{first, taken, 0, rows});
            }
        return result;
    }
};

// A tile of a block: tiles count through pictures, frames, rows and columns.
struct Tile {
    std::int64_t picture, frame, row, column;

    Tile(const Block& block, std::int64_t frames, std::int64_t columns, std::int64_t index) {
        column = index % columns;
        row = block.row + index / columns % block.rows;
        frame = index / (columns * block.rows) % frames;
        picture = block.picture + index / (columns * block.rows * frames);
    }
};

// Where the size x size pixels of a tile from (top, left) on lie; `outside` for those that the map does not have.
template <std::int64_t size>
std::array<float*, size * size> pixels_of(const Map& map, const Tile& tile, std::int64_t top, std::int64_t left, float* outside) {
    std::array<float*, size * size> pixels;
    float* const frame = map.data + tile.picture * map.picture + tile.frame * map.frame;
    for (std::int64_t y = 0; y < size; ++y)
        for (std::int64_t x = 0; x < size; ++x) {
            const std::int64_t row = top + y, column = left + x;
            const bool inside = row >= 0 && row < map.height && column >= 0 && column < map.width;
            pixels[static_cast<std::size_t>(y * size + x)] = inside ? frame + row * map.row + column * map.pixel : outside;
        }
    return pixels;
}

// Transformed values of tiles: 36 planes of [tiles, channels]. A cache line more in each, since planes whose distance is a power of two would
// fall on one another in a cache.
struct Planes {
    float* data = nullptr;
    std::int64_t tiles = 0, channels = 0;

    std::int64_t step() const { return tiles * channels + 16; }
    std::size_t bytes() const { return static_cast<std::size_t>(planes * step()) * sizeof(float); }
    float* tile(std::int64_t index) const { return data + index * channels; }
};

// A convolution of stride 1 as its transforms see it; the gradient in the map is one too, of the weight turned around.
struct Work {
    std::int64_t depth, frames_before, above, left;      // taps along frames; zeros before the map
    std::int64_t channels, columns;                      // of the map and of the result
    bool turned;                                         // the weight is [channels, columns, ...], its taps from the last to the first

    Work(const ConvProblem& p, ConvPass pass) {
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
    std::uint64_t weight_bytes() const { return static_cast<std::uint64_t>(planes * weight_plane()) * sizeof(float); }
};

// The weight in 36 planes of panels: columns that lie side by side for each tap along frames and each channel.
void transform_weight(const Work& work, const float* weight, float* to) {
    const ColumnPanels panels(work.columns);
    const std::int64_t taps = work.depth * 9;
    const std::int64_t chunk = 16, chunks = ceil_divide(work.channels, chunk);
    parallel_for(panels.count * chunks, [&](std::int64_t item, int) {
        const std::int64_t first = panels.first(item / chunks), columns = panels.width(item / chunks);
        std::array<float, std::size_t{9} * 48> lines;      // [taps, columns]
        std::array<const float*, 9> starts;
        for (std::size_t tap = 0; tap < 9; ++tap) starts[tap] = lines.data() + static_cast<std::int64_t>(tap) * columns;
        for (std::int64_t d = 0; d < work.depth; ++d)
            for (std::int64_t c = item % chunks * chunk; c < std::min(work.channels, (item % chunks + 1) * chunk); ++c) {
                for (std::int64_t j = 0; j < columns; ++j) {
                    const std::int64_t n = first + j;
                    const float* from = weight + (work.turned ? c * work.columns + n : n * work.channels + c) * taps + (work.turned ? work.depth - 1 - d : d) * 9;
                    for (std::int64_t tap = 0; tap < 9; ++tap) lines[static_cast<std::size_t>(tap * columns + j)] = from[work.turned ? 8 - tap : tap];
                }
                tile_kernels().winograd_weight(starts.data(), to + first * work.depth * work.channels + (d * work.channels + c) * columns, work.weight_plane(), columns);
            }
    });
}

// The transformed weight: kept with its leaf, or made for this call.
class Weight {
public:
    Weight(const Work& work, const HostOperand& operand) : scratch_(operand.leaf ? 0 : work.weight_bytes()) {
        if (!operand.leaf) {
            auto* const made = reinterpret_cast<float*>(scratch_.take(work.weight_bytes()));
            transform_weight(work, reinterpret_cast<const float*>(operand.data), made);
            data_ = made;
            return;
        }
        kept_ = kept_copy(operand.leaf, key(work), work.weight_bytes(), [&](std::byte* to) {
            const std::size_t wide_bytes = is_plain(operand) ? 0 : static_cast<std::size_t>(element_count(operand.shape)) * sizeof(float);
            HostScratch wide(wide_bytes);
            const auto* from = reinterpret_cast<const float*>(operand.data);
            if (wide_bytes > 0) {
                auto* const values = reinterpret_cast<float*>(wide.take(wide_bytes));
                widen_all(operand, values);
                from = values;
            }
            transform_weight(work, from, reinterpret_cast<float*>(to));
        });
        data_ = reinterpret_cast<const float*>(kept_->data);
    }

    static std::string key(const Work& work) { return work.turned ? "winograd:turned" : "winograd"; }
    const float* data() const { return data_; }

private:
    HostScratch scratch_;
    std::shared_ptr<const KeptBytes> kept_;
    const float* data_ = nullptr;
};

// The forward, or the gradient in the map: transforms in, products, transforms out. Where a block's values fit a thread's cache, each thread works
// through blocks of its own; else all share the steps of one block, so that the weight is read once for many tiles.
class Convolution {
public:
    Convolution(const HostCall& call, const Work& work, const float* weight)
        : work_(work), weight_(weight), from_(call.in[0]), to_(call.out), tiling_(to_),
          posts_{call.kernel, {}, call.out, call.post_ops, channels_behind(call.post_operands), call.state} {
        if (!posts_.post_ops.empty() && posts_.post_ops.front().name == "add") {
            const HostOperand& first = posts_.post_operands[static_cast<std::size_t>(posts_.post_ops.front().operand)];
            const bool vector = std::all_of(first.shape.begin(), first.shape.end() - 1, [](auto length) { return length == 1; });
            if (vector && first.shape.back() == work.columns && first.strides.back() == 1) {
                bias_ = reinterpret_cast<const float*>(first.data);
                posts_.post_ops.erase(posts_.post_ops.begin());
            }
        }
    }

    void run() {
        apply_post_ops(posts_, {}, nullptr, 0);      // complains here about one it does not know, not in a thread
        const std::int64_t tile_bytes = planes * (work_.channels + work_.columns) * std::int64_t{sizeof(float)};
        const std::vector<Block> small = tiling_.blocks(to_.frames, std::max<std::int64_t>(1, cached / tile_bytes));
        const std::int64_t threads = parallel_threads(), tiles = tiles_of(small.front());
        const bool alone = tiles >= 24 && static_cast<std::int64_t>(small.size()) >= 2 * threads;
        const std::vector<Block> blocks = alone ? small : tiling_.blocks(to_.frames, std::max<std::int64_t>(1, most_scratch / tile_bytes));
        const std::int64_t most = tiles_of(blocks.front());
        const std::size_t bytes = HostScratch::padded(values(most).bytes()) + HostScratch::padded(sums(most).bytes());
        const std::size_t line = HostScratch::padded(static_cast<std::size_t>(std::max(work_.channels, work_.columns)) * sizeof(float));
        const auto workers = static_cast<std::size_t>(alone ? threads : 1);
        HostScratch scratch(workers * bytes + (static_cast<std::size_t>(threads) + 1) * line);
        zeros_ = reinterpret_cast<float*>(scratch.take(line));
        std::fill_n(zeros_, work_.channels, 0.0f);
        for (std::int64_t t = 0; t < threads; ++t) sinks_.push_back(reinterpret_cast<float*>(scratch.take(line)));
        std::vector<std::byte*> memory;
        for (std::size_t w = 0; w < workers; ++w) memory.push_back(scratch.take(bytes));
        if (alone) {
            parallel_for(static_cast<std::int64_t>(blocks.size()), [&](std::int64_t index, int thread) {
                run_block(blocks[static_cast<std::size_t>(index)], memory[static_cast<std::size_t>(thread)], [&](std::int64_t count, const auto& body) {
                    for (std::int64_t item = 0; item < count; ++item) body(item, thread);
                });
            });
            return;
        }
        for (const Block& block : blocks) run_block(block, memory.front(), [](std::int64_t count, const auto& body) { parallel_for(count, body); });
    }

private:
    std::int64_t tiles_of(const Block& block) const { return block.pictures * to_.frames * block.rows * tiling_.columns; }
    std::int64_t tiles_in(const Block& block) const { return block.pictures * from_.frames * block.rows * tiling_.columns; }
    // The map's have one of zeros behind them, for frames before the first and after the last.
    Planes values(std::int64_t tiles) const { return {nullptr, tiles / to_.frames * from_.frames + 1, work_.channels}; }
    Planes sums(std::int64_t tiles) const { return {nullptr, tiles, work_.columns}; }

    template <typename Each>
    void run_block(const Block& block, std::byte* memory, Each each) const {
        const std::int64_t tiles = tiles_of(block), inputs = tiles_in(block);
        Planes v = values(tiles), m = sums(tiles);
        v.data = reinterpret_cast<float*>(memory);
        m.data = reinterpret_cast<float*>(memory + HostScratch::padded(v.bytes()));
        for (std::int64_t f = 0; f < planes; ++f) std::fill_n(v.tile(inputs) + f * v.step(), v.channels, 0.0f);
        each(ceil_divide(inputs, group), [&](std::int64_t item, int) {
            for (std::int64_t i = item * group; i < std::min(inputs, (item + 1) * group); ++i) transform(block, i, v);
        });
        std::vector<const float*> left;      // [taps along frames, tiles]
        std::vector<float*> right;
        for (std::int64_t d = 0; d < work_.depth; ++d)
            for (std::int64_t i = 0; i < tiles; ++i) left.push_back(v.tile(input_tile(block, i, d, inputs)));
        for (std::int64_t i = 0; i < tiles; ++i) right.push_back(m.tile(i));
        const ColumnPanels panels(work_.columns);
        each(planes * panels.count, [&](std::int64_t item, int) {
            const std::int64_t panel = item % panels.count;
            multiply(item / panels.count, panels.first(panel), panels.width(panel), v, m, left, right);
        });
        each(ceil_divide(tiles, group), [&](std::int64_t item, int thread) {
            for (std::int64_t i = item * group; i < std::min(tiles, (item + 1) * group); ++i) finish(block, i, m, sinks_[static_cast<std::size_t>(thread)]);
        });
    }

    void transform(const Block& block, std::int64_t index, const Planes& v) const {
        const Tile tile(block, from_.frames, tiling_.columns, index);
        const auto pixels = pixels_of<window>(from_, tile, tile.row * side - work_.above, tile.column * side - work_.left, zeros_);
        tile_kernels().winograd_map(pixels.data(), side * from_.pixel, v.tile(index), v.step(), v.channels);
    }

    // The tile of the map that tap `d` along frames sees from a tile of the result; the one of zeros where there is no such frame.
    std::int64_t input_tile(const Block& block, std::int64_t index, std::int64_t d, std::int64_t zero) const {
        const std::int64_t per_frame = block.rows * tiling_.columns, frame = index / per_frame % to_.frames + d - work_.frames_before;
        if (frame < 0 || frame >= from_.frames) return zero;
        return (index / per_frame / to_.frames * from_.frames + frame) * per_frame + index % per_frame;
    }

    void multiply(std::int64_t plane, std::int64_t column, std::int64_t columns, const Planes& v, const Planes& m, const std::vector<const float*>& left,
                  const std::vector<float*>& right) const {
        const std::int64_t tiles = m.tiles;
        const float* const panel = weight_ + plane * work_.weight_plane() + column * work_.depth * work_.channels;
        for (std::int64_t first = 0; first < tiles; first += chunk_rows)
            for (std::int64_t d = 0; d < work_.depth; ++d)
                for (std::int64_t term = 0; term < work_.channels; term += chunk_terms)
                    tile_kernels().panel({.rows = std::min(chunk_rows, tiles - first), .terms = std::min(chunk_terms, work_.channels - term),
                                          .vectors = static_cast<int>(columns / tile_kernels().lanes),
                                          .a = left.data() + d * tiles + first, .a_offset = plane * v.step() + term,
                                          .panel = reinterpret_cast<const std::byte*>(panel + (d * work_.channels + term) * columns), .stored = Dtype::F32,
                                          .c = right.data() + first, .c_offset = plane * m.step() + column, .accumulate = d > 0 || term > 0});
    }

    void finish(const Block& block, std::int64_t index, const Planes& m, float* sink) const {
        const Tile tile(block, to_.frames, tiling_.columns, index);
        const auto pixels = pixels_of<side>(to_, tile, tile.row * side, tile.column * side, sink);
        tile_kernels().winograd_result(m.tile(index), m.step(), pixels.data(), side * to_.pixel, bias_, m.channels);
        if (posts_.post_ops.empty()) return;
        for (std::int64_t i = 0; i < side * side; ++i) {
            if (pixels[static_cast<std::size_t>(i)] == sink) continue;
            const std::int64_t y = tile.row * side + i / side, x = tile.column * side + i % side;
            const std::array<std::int64_t, 5> deep{tile.picture, tile.frame, y, x, 0};
            const std::array<std::int64_t, 4> flat{tile.picture, y, x, 0};
            const bool frames = posts_.out.shape.size() == 5;
            apply_post_ops(posts_, frames ? std::span<const std::int64_t>(deep) : flat, pixels[static_cast<std::size_t>(i)], m.channels);
        }
    }

    const Work& work_;
    const float* const weight_;
    const Map from_, to_;
    const Tiling tiling_;
    HostCall posts_;                      // operands with their channels last
    const float* bias_ = nullptr;
    float* zeros_ = nullptr;
    std::vector<float*> sinks_;           // of each thread: pixels beyond the map
};

// The gradient in the weight, G^T [sum over tiles of (B^T x B) (A dy A^T)] G. Some rows and a panel of columns at a time run through all planes,
// so that the sums stay in a cache.
class WeightGrad {
public:
    WeightGrad(const HostCall& call, const Work& work)
        : work_(work), x_(call.in[0]), dy_(call.in[1]), tiling_(dy_), to_(reinterpret_cast<float*>(call.out.data)) {}

    void run() {
        const std::int64_t tile_bytes = planes * (work_.channels + work_.columns) * std::int64_t{sizeof(float)};
        const std::vector<Block> blocks = tiling_.blocks(dy_.frames, std::max<std::int64_t>(1, grad_scratch / tile_bytes));
        const std::int64_t most = tiles_of(blocks.front(), dy_);
        const Planes x{nullptr, tiles_of(blocks.front(), x_), work_.channels}, dy{nullptr, most, work_.columns};
        const std::size_t line = HostScratch::padded(static_cast<std::size_t>(std::max(work_.channels, work_.columns)) * sizeof(float));
        const std::size_t sums = HostScratch::padded(static_cast<std::size_t>((planes + 9) * grad_rows * ColumnPanels(work_.channels).widest()) * sizeof(float));
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
            const Planes v{x_memory, tiles_of(block, x_), work_.channels}, d{dy_memory, tiles_of(block, dy_), work_.columns};
            const std::int64_t groups = ceil_divide(v.tiles, group), grad_groups = ceil_divide(d.tiles, group);
            parallel_for(groups + grad_groups, [&](std::int64_t item, int) {
                const bool grad = item >= groups;
                const std::int64_t first = (grad ? item - groups : item) * group, last = std::min(grad ? d.tiles : v.tiles, first + group);
                for (std::int64_t i = first; i < last; ++i) grad ? transform_grad(block, i, d) : transform(block, i, v);
            });
            parallel_for(work_.depth * row_parts * panels.count, [&](std::int64_t item, int thread) {
                const std::int64_t panel = item % panels.count, part = item / panels.count;
                sum(block, part / row_parts, part % row_parts * grad_rows, panels.first(panel), panels.width(panel), v, d,
                    room[static_cast<std::size_t>(thread)], &block != &blocks.front());
            });
        }
    }

private:
    std::int64_t tiles_of(const Block& block, const Map& map) const { return block.pictures * map.frames * block.rows * tiling_.columns; }

    void transform(const Block& block, std::int64_t index, const Planes& v) const {
        const Tile tile(block, x_.frames, tiling_.columns, index);
        const auto pixels = pixels_of<window>(x_, tile, tile.row * side - work_.above, tile.column * side - work_.left, zeros_);
        tile_kernels().winograd_map(pixels.data(), side * x_.pixel, v.tile(index), v.step(), v.channels);
    }

    void transform_grad(const Block& block, std::int64_t index, const Planes& d) const {
        const Tile tile(block, dy_.frames, tiling_.columns, index);
        const auto pixels = pixels_of<side>(dy_, tile, tile.row * side, tile.column * side, zeros_);
        tile_kernels().winograd_result_grad(pixels.data(), side * dy_.pixel, d.tile(index), d.step(), d.channels);
    }

    // Adds a block's part of tap `depth` along frames, of outputs from `row` and inputs from `column` on.
    void sum(const Block& block, std::int64_t depth, std::int64_t row, std::int64_t column, std::int64_t columns, const Planes& v, const Planes& d,
             float* room, bool accumulate) const {
        const std::int64_t rows = std::min(grad_rows, work_.columns - row);
        const std::int64_t per_frame = block.rows * tiling_.columns, plane = rows * columns;
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
            if (!begun) std::fill_n(room + f * plane, plane, 0.0f);
        }
        float* const taps = room + planes * plane;      // [9, rows, columns]
        std::array<float*, 9> lines;
        for (std::int64_t tap = 0; tap < 9; ++tap) lines[static_cast<std::size_t>(tap)] = taps + tap * plane;
        tile_kernels().winograd_weight_grad(room, plane, lines.data(), plane);
        for (std::int64_t r = 0; r < rows; ++r)
            for (std::int64_t c = 0; c < columns; ++c) {
                float* const target = to_ + (((row + r) * work_.channels + column + c) * work_.depth + depth) * 9;
                for (std::int64_t tap = 0; tap < 9; ++tap) {
                    const float value = taps[tap * plane + r * columns + c];
                    target[tap] = accumulate ? target[tap] + value : value;
                }
            }
    }

    const Work& work_;
    const Map x_, dy_;
    const Tiling tiling_;
    float* const to_;
    float* zeros_ = nullptr;
};

bool along_channels(const HostOperand& map) { return map.strides[1] == 1; }
bool in_rows(const HostOperand& weight) { return weight.strides == dense_strides(weight.shape, row_major(weight.shape.size())); }

}  // namespace

std::uint64_t winograd_weight_bytes(const ConvProblem& problem) { return Work(problem, ConvPass::Forward).weight_bytes(); }

bool winograd_pays(const ConvProblem& p) {
    const ConvGeometry& g = p.geometry;
    const auto all = [](const Shape& list, std::int64_t value) { return std::all_of(list.begin(), list.end(), [&](auto i) { return i == value; }); };
    const Shape taps = spatial(p.w);
    const std::size_t rank = g.rank();
    if (rank < 2 || g.groups != 1 || taps[rank - 2] != 3 || taps[rank - 1] != 3 || !all(g.stride, 1) || !all(g.dilation, 1)) return false;
    const int lanes = tile_kernels().lanes;
    if (p.w[0] % lanes != 0 || p.w[1] % lanes != 0 || std::min(p.w[0], p.w[1]) < 32) return false;
    const Shape map = spatial(p.y);
    const std::int64_t tiles = p.y[0] * (rank == 3 ? map[0] : 1) * ceil_divide(map[rank - 2], side) * ceil_divide(map[rank - 1], side);
    // Below some fifty tiles the weight is read from memory more often than it is worth, unless it is small.
    return tiles >= 48 || (tiles >= 16 && winograd_weight_bytes(p) <= most_made);
}

bool run_winograd(const HostCall& call, ConvPass pass) {
    const ConvGeometry geometry = ConvGeometry::from_params(call.kernel.params);
    const HostOperand &first = call.in[0], &second = call.in[1];
    const ConvProblem problem = pass == ConvPass::Forward     ? ConvProblem{geometry, first.shape, second.shape, call.out.shape}
                                : pass == ConvPass::InputGrad ? ConvProblem{geometry, call.out.shape, second.shape, first.shape}
                                                              : ConvProblem{geometry, first.shape, call.out.shape, second.shape};
    if (!winograd_pays(problem) || !along_channels(first)) return false;
    const Work work(problem, pass);
    if (pass == ConvPass::WeightGrad) {
        if (!along_channels(second) || !in_rows(call.out)) return false;
        WeightGrad(call, work).run();
        return true;
    }
    if (!along_channels(call.out) || !in_rows(second)) return false;
    const bool kept = second.leaf && is_kept(second.leaf, Weight::key(work));
    if (!kept && work.weight_bytes() > (second.leaf ? call.room : most_made)) return false;
    const Weight weight(work, second);
    Convolution(call, work, weight.data()).run();
    return true;
}

}  // namespace gpu
