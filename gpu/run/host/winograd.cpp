#include "gpu/run/host/winograd.h"

#include "gpu/run/host/column_panels.h"
#include "gpu/run/host/interleave.h"
#include "gpu/run/host/kept.h"
#include "gpu/run/host/parallel.h"
#include "gpu/run/host/post_ops.h"
#include "gpu/run/host/scratch.h"
#include "gpu/run/host/widen.h"
#include "gpu/run/host/winograd_tiles.h"

namespace gpu {
namespace winograd {
namespace {

constexpr std::int64_t most_scratch = std::int64_t{32} << 20;  // bytes of transformed values at a time
constexpr std::int64_t cached = std::int64_t{1} << 20;         // of those that one thread works on alone
constexpr std::uint64_t most_made = std::uint64_t{64} << 20;   // of a weight that is transformed for one call, or for few tiles
constexpr std::int64_t chunk_rows = 256;                       // tiles of a product: their values stay in the second cache

// The weight in planes of panels: columns that lie side by side for each tap along frames and each channel.
void transform_weight(const Work& work, const float* weight, float* to) {
    const ColumnPanels panels(work.columns);
    const std::int64_t taps = work.depth * 9;
    const std::int64_t chunk = 16, chunks = ceil_divide(work.channels, chunk);
    parallel_for(panels.count * chunks, [&](std::int64_t item, int) {
        const std::int64_t first = panels.first(item / chunks), columns = panels.width(item / chunks);
        std::array<float, std::size_t{9} * 48> lines;      // [taps, columns]
        std::array<const float*, 9> starts;
        for (std::int64_t tap = 0; tap < 9; ++tap) starts[static_cast<std::size_t>(tap)] = lines.data() + (work.turned ? 8 - tap : tap) * columns;
        for (std::int64_t d = 0; d < work.depth; ++d)
            for (std::int64_t c = item % chunks * chunk; c < std::min(work.channels, (item % chunks + 1) * chunk); ++c) {
                const float* const from = weight + (work.turned ? c * work.columns + first : first * work.channels + c) * taps + (work.turned ? work.depth - 1 - d : d) * 9;
                interleave(from, work.turned ? taps : work.channels * taps, columns, 9, lines.data(), columns, false);
                work.form.kernels().weight(starts.data(), to + first * work.depth * work.channels + (d * work.channels + c) * columns, work.weight_plane(), columns);
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

    static std::string key(const Work& work) {
        return std::string("winograd:") + (work.turned ? "turned:" : "") + std::to_string(work.form.side);
    }
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
        : work_(work), weight_(weight), from_(call.in[0]), to_(call.out), tiling_(to_, work.form),
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
        const std::int64_t tile_bytes = work_.form.planes() * (work_.channels + work_.columns) * std::int64_t{sizeof(float)};
        const std::vector<Block> small = tiling_.blocks(to_.frames, std::max<std::int64_t>(1, cached / tile_bytes));
        const std::int64_t threads = parallel_threads(), tiles = small.front().tiles(to_.frames);
        const bool alone = tiles >= 24 && static_cast<std::int64_t>(small.size()) >= 2 * threads;
        const std::vector<Block> blocks = alone ? small : tiling_.blocks(to_.frames, std::max<std::int64_t>(1, most_scratch / tile_bytes));
        const std::int64_t most = blocks.front().tiles(to_.frames);
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
    // The map's have one of zeros behind them, for frames before the first and after the last.
    Planes values(std::int64_t tiles) const { return {nullptr, work_.form.planes(), tiles / to_.frames * from_.frames + 1, work_.channels}; }
    Planes sums(std::int64_t tiles) const { return {nullptr, work_.form.planes(), tiles, work_.columns}; }

    template <typename Each>
    void run_block(const Block& block, std::byte* memory, Each each) const {
        const std::int64_t tiles = block.tiles(to_.frames), inputs = block.tiles(from_.frames);
        Planes v = values(tiles), m = sums(tiles);
        v.data = reinterpret_cast<float*>(memory);
        m.data = reinterpret_cast<float*>(memory + HostScratch::padded(v.bytes()));
        for (std::int64_t f = 0; f < v.count; ++f) std::fill_n(v.tile(inputs) + f * v.step(), v.channels, 0.0f);
        each(ceil_divide(inputs, group), [&](std::int64_t item, int) {
            for (std::int64_t i = item * group; i < std::min(inputs, (item + 1) * group); ++i)
                transform_map(from_, work_, Tile(block, from_.frames, i), zeros_, v, i);
        });
        std::vector<const float*> left;      // [taps along frames, tiles]
        std::vector<float*> right;
        for (std::int64_t d = 0; d < work_.depth; ++d)
            for (std::int64_t i = 0; i < tiles; ++i) left.push_back(v.tile(input_tile(block, i, d, inputs)));
        for (std::int64_t i = 0; i < tiles; ++i) right.push_back(m.tile(i));
        const ColumnPanels panels(work_.columns);
        each(v.count * panels.count, [&](std::int64_t item, int) {
            const std::int64_t panel = item % panels.count;
            multiply(item / panels.count, panels.first(panel), panels.width(panel), v, m, left, right);
        });
        each(ceil_divide(tiles, group), [&](std::int64_t item, int thread) {
            for (std::int64_t i = item * group; i < std::min(tiles, (item + 1) * group); ++i) finish(block, i, m, sinks_[static_cast<std::size_t>(thread)]);
        });
    }

    // The tile of the map that tap `d` along frames sees from a tile of the result; the one of zeros where there is no such frame.
    std::int64_t input_tile(const Block& block, std::int64_t index, std::int64_t d, std::int64_t zero) const {
        const std::int64_t per_frame = block.rows * block.columns, frame = index / per_frame % to_.frames + d - work_.frames_before;
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
        const Tile tile(block, to_.frames, index);
        const std::int64_t side = work_.form.side;
        const auto pixels = pixels_of(to_, tile, side, tile.row * side, tile.column * side, sink);
        work_.form.kernels().result(m.tile(index), m.step(), pixels.data(), side * to_.pixel, bias_, m.channels);
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

bool along_channels(const HostOperand& map) { return map.strides[1] == 1; }
bool in_rows(const HostOperand& weight) { return weight.strides == dense_strides(weight.shape, row_major(weight.shape.size())); }

}  // namespace
}  // namespace winograd

using namespace winograd;

std::uint64_t winograd_weight_bytes(const ConvProblem& problem, int side) { return Work(problem, ConvPass::Forward, {side}).weight_bytes(); }

int winograd_side(const ConvProblem& p, ConvPass pass, bool wide) {
    const ConvGeometry& g = p.geometry;
    const std::size_t rank = g.rank();
    const Shape taps = spatial(p.w), ones(rank, 1);
    if (rank < 2 || g.groups != 1 || taps[rank - 2] != 3 || taps[rank - 1] != 3 || g.stride != ones || g.dilation != ones) return 0;
    const int lanes = tile_kernels().lanes;
    if (p.w[0] % lanes != 0 || p.w[1] % lanes != 0 || std::min(p.w[0], p.w[1]) < 16) return 0;
    const Shape map = spatial(p.y);
    const auto tiles = [&](std::int64_t side) {
        return p.y[0] * (rank == 3 ? map[0] : 1) * ceil_divide(map[rank - 2], side) * ceil_divide(map[rank - 1], side);
    };
    // Without a transformed weight, which is four times as large, writing the sums is all that few tiles wait for. Below some fifty tiles such
    // a weight is read from memory more often than it is worth, unless it is small; that of the small form is less than twice as large.
    if (pass == ConvPass::WeightGrad) return tiles(4) >= 4 ? 4 : 0;
    if (tiles(4) >= 48 || (tiles(4) >= 16 && winograd_weight_bytes(p, 4) <= most_made)) return 4;
    return wide && tiles(2) >= 16 ? 2 : 0;
}

bool run_winograd(const HostCall& call, ConvPass pass) {
    const ConvGeometry geometry = ConvGeometry::from_params(call.kernel.params);
    const HostOperand &first = call.in[0], &second = call.in[1];
    const ConvProblem problem = pass == ConvPass::Forward     ? ConvProblem{geometry, first.shape, second.shape, call.out.shape}
                                : pass == ConvPass::InputGrad ? ConvProblem{geometry, call.out.shape, second.shape, first.shape}
                                                              : ConvProblem{geometry, first.shape, call.out.shape, second.shape};
    const int side = winograd_side(problem, pass, is_plain(second));
    if (side == 0 || !along_channels(first)) return false;
    const Work work(problem, pass, {side});
    if (pass == ConvPass::WeightGrad) {
        if (!along_channels(second) || !in_rows(call.out)) return false;
        weight_gradient(call, work);
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
