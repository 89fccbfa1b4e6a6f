#include "gpu/run/host/panels.h"

#include <algorithm>

#include "gpu/base/divide.h"
#include "gpu/base/format.h"
#include "gpu/run/host/column_panels.h"
#include "gpu/run/host/conv.h"
#include "gpu/run/host/kept.h"
#include "gpu/run/host/parallel.h"
#include "gpu/run/host/post_ops.h"
#include "gpu/run/host/tile.h"
#include "gpu/run/host/widen.h"
#include "gpu/run/host/winograd.h"

namespace gpu {
namespace {

constexpr std::int64_t chunk_terms = 256;        // of a panel at a time: 48 KiB of F32, while rows go by
constexpr std::int64_t chunk_rows = 256;
constexpr std::int64_t least_terms = 32;
constexpr std::int64_t most_pixels = 512;        // of a convolution of several taps
constexpr std::int64_t most_rows = 256, most_pixels_f32 = 128;   // with panels of F32, which save no memory

template <typename T>
void interleave(const T* rows, std::int64_t row, std::int64_t columns, const PanelProblem& p, T* to) {
    for (std::int64_t tap = 0; tap < p.taps; ++tap)
        for (std::int64_t first = 0; first < p.channels; first += 16) {      // a cache line of every row
            const std::int64_t last = std::min(first + 16, p.channels);
            for (std::int64_t n = 0; n < columns; ++n)
                for (std::int64_t c = first; c < last; ++c)
                    to[(tap * p.channels + c) * columns + n] = rows[n * row + c * p.taps + tap];
        }
}

// The weight's rows, one an output, each [channels, taps].
void pack(const PanelProblem& p, const HostOperand& weight, std::byte* to) {
    const ColumnPanels panels(p.columns);
    const std::int64_t terms = p.channels * p.taps;
    parallel_for(panels.count, [&](std::int64_t panel, int) {
        const std::int64_t first = panels.first(panel), columns = panels.width(panel);
        std::byte* const target = to + first * terms * static_cast<std::int64_t>(size_of(p.stored));
        if (p.stored != Dtype::F32) {
            interleave(reinterpret_cast<const std::uint16_t*>(weight.data) + first * terms, terms, columns, p, reinterpret_cast<std::uint16_t*>(target));
        } else if (is_plain(weight)) {
            interleave(reinterpret_cast<const float*>(weight.data) + first * terms, terms, columns, p, reinterpret_cast<float*>(target));
        } else {
            std::vector<float> wide(static_cast<std::size_t>(columns * terms));
            if (weight.blocks)
                unpack(*weight.blocks, weight.data, static_cast<std::size_t>(weight.start + first * terms), wide);
            else
                widen(weight.dtype, weight.data + first * terms * static_cast<std::int64_t>(size_of(weight.dtype)), wide.data(), wide.size());
            interleave(wide.data(), terms, columns, p, reinterpret_cast<float*>(target));
        }
    });
}

std::shared_ptr<const KeptBytes> panels_of(const PanelProblem& p, const HostOperand& weight) {
    const std::string key = format("panels:{}x{}x{}", p.columns, p.channels, p.taps);
    return kept_copy(weight.leaf, key, p.bytes(), [&](std::byte* to) { pack(p, weight, to); });
}

// Where the rows of data and result lie, and which post-operations follow: axes in the order of the result's rows.
struct Rows {
    std::vector<const float*> from;                 // [taps, rows]; of zeros where a window leaves the map
    std::vector<float*> to;
    Shape lengths;                                  // of the axes that rows run over
    std::vector<HostOperand> post_operands;         // those axes, then columns
    std::vector<float> zeros;
};

Rows rows_of_product(const HostCall& call) {
    const HostOperand &a = call.in[0], &out = call.out;
    Rows rows{.lengths = {out.shape[0], out.shape[1]}, .post_operands = call.post_operands};
    const std::int64_t batch_step = a.shape[0] == 1 ? 0 : a.strides[0];
    for (std::int64_t b = 0; b < out.shape[0]; ++b)
        for (std::int64_t m = 0; m < out.shape[1]; ++m) {
            rows.from.push_back(reinterpret_cast<const float*>(a.data) + b * batch_step + m * a.strides[1]);
            rows.to.push_back(reinterpret_cast<float*>(out.data) + b * out.strides[0] + m * out.strides[1]);
        }
    return rows;
}

// Steps through all indices of `lengths`, the last axis fastest; false after the last.
bool advance(Shape& index, const Shape& lengths) {
    for (std::size_t d = lengths.size(); d-- > 0;) {
        if (++index[d] < lengths[d]) return true;
        index[d] = 0;
    }
    return false;
}

Rows rows_of_convolution(const HostCall& call) {
    const ConvGeometry geometry = ConvGeometry::from_params(call.kernel.params);
    const HostOperand &x = call.in[0], &out = call.out;
    const Shape window = spatial(call.in[1].shape), size = spatial(x.shape);
    Rows rows{.lengths = {out.shape[0]}, .post_operands = channels_behind(call.post_operands),
              .zeros = std::vector<float>(static_cast<std::size_t>(x.shape[1]))};
    for (const std::int64_t length : spatial(out.shape)) rows.lengths.push_back(length);
    Shape tap(window.size(), 0);
    do {
        Shape at(rows.lengths.size(), 0);
        do {
            std::int64_t offset = at[0] * x.strides[0];
            bool inside = true;
            for (std::size_t d = 0; d < window.size(); ++d) {
                const std::int64_t position = at[d + 1] * geometry.stride[d] + tap[d] * geometry.dilation[d] - geometry.before[d];
                inside = inside && position >= 0 && position < size[d];
                offset += position * x.strides[d + 2];
            }
            rows.from.push_back(inside ? reinterpret_cast<const float*>(x.data) + offset : rows.zeros.data());
        } while (advance(at, rows.lengths));
    } while (advance(tap, window));
    Shape at(rows.lengths.size(), 0);
    do {
        std::int64_t offset = at[0] * out.strides[0];
        for (std::size_t d = 0; d < window.size(); ++d) offset += at[d + 1] * out.strides[d + 2];
        rows.to.push_back(reinterpret_cast<float*>(out.data) + offset);
    } while (advance(at, rows.lengths));
    return rows;
}

class PanelRun {
public:
    PanelRun(const HostCall& call, const PanelProblem& problem, const std::byte* panels, const Rows& rows)
        : posts_{call.kernel, {}, call.out, call.post_ops, rows.post_operands, call.state}, p_(problem), panels_(panels), rows_(rows) {}

    void run() const {
        const auto count = static_cast<std::int64_t>(rows_.to.size());
        const std::int64_t panels = ColumnPanels(p_.columns).count;
        const std::int64_t wanted = ceil_divide(8 * parallel_threads(), panels);      // pieces of the rows, so that no thread waits long
        const std::int64_t step = std::clamp(ceil_divide(count, wanted) + 7, std::int64_t{32}, chunk_rows) / 8 * 8;
        const std::int64_t pieces = ceil_divide(count, step);
        apply_post_ops(posts_, {}, nullptr, 0);   // complains here about one it does not know, not in a thread
        const auto task = [&](std::int64_t item, int) { tile(item / pieces, item % pieces * step, std::min(step, count - item % pieces * step)); };
        if (count * p_.columns * p_.channels * p_.taps < 1 << 16) {
            for (std::int64_t item = 0; item < panels * pieces; ++item) task(item, 0);
        } else {
            parallel_for(panels * pieces, task);
        }
    }

private:
    void tile(std::int64_t panel, std::int64_t first, std::int64_t count) const {
        const ColumnPanels all(p_.columns);
        const std::int64_t column = all.first(panel), columns = all.width(panel);
        const auto size = static_cast<std::int64_t>(size_of(p_.stored)), total = static_cast<std::int64_t>(rows_.to.size());
        const std::byte* at = panels_ + column * p_.channels * p_.taps * size;
        bool accumulate = false;
        for (std::int64_t tap = 0; tap < p_.taps; ++tap)
            for (std::int64_t term = 0; term < p_.channels; term += chunk_terms) {
                const std::int64_t terms = std::min(chunk_terms, p_.channels - term);
                tile_kernels().panel({.rows = count, .terms = terms, .vectors = static_cast<int>(columns / tile_kernels().lanes),
                                      .a = rows_.from.data() + tap * total + first, .a_offset = term, .panel = at, .stored = p_.stored,
                                      .c = rows_.to.data() + first, .c_offset = column, .accumulate = accumulate});
                at += terms * columns * size;
                accumulate = true;
            }
        if (posts_.post_ops.empty()) return;
        Shape index(rows_.lengths.size() + 1, column);
        for (std::int64_t r = 0, rest = first; r < count; ++r, rest = first + r) {
            for (std::size_t d = rows_.lengths.size(); d-- > 0; rest /= rows_.lengths[d]) index[d] = rest % rows_.lengths[d];
            apply_post_ops(posts_, index, rows_.to[static_cast<std::size_t>(first + r)] + column, columns);
        }
    }

    const HostCall posts_;
    const PanelProblem& p_;
    const std::byte* const panels_;
    const Rows& rows_;
};

}  // namespace

std::optional<PanelProblem> panel_problem(const Kernel& kernel, const HostOperand& weight, const Shape& x, const Shape& y) {
    PanelProblem p;
    const Shape& w = weight.shape;
    if (kernel.host == "matmul") {
        if (w.size() != 3 || w[0] != 1 || weight.strides[1] != 1 || weight.strides[2] != w[1]) return {};
        p.columns = w[2];
        p.channels = w[1];
    } else if (kernel.host == "convolution") {
        const ConvProblem problem{ConvGeometry::from_params(kernel.params), x, w, y};
        p.columns = w[0];
        p.channels = w[1];
        p.taps = element_count(spatial(w));
        if (problem.geometry.groups != 1 || weight.strides != dense_strides(w, row_major(w.size()))) return {};
        if (p.taps > 1 && element_count(y) / y[1] > most_pixels) return {};
        if (winograd_side(problem, ConvPass::Forward, is_plain(weight)) > 0) return {};
    } else {
        return {};
    }
    const TileKernels& kernels = tile_kernels();
    if (p.columns <= 0 || p.columns % kernels.lanes != 0 || p.channels < least_terms || weight.start != 0) return {};
    const bool half = !weight.blocks && (weight.dtype == Dtype::F16 || weight.dtype == Dtype::BF16);
    if (half && kernels.widens) {
        p.stored = weight.dtype;
    } else if (element_count(y) / p.columns > (kernel.host == "matmul" ? most_rows : most_pixels_f32)) {
        return {};
    }
    return p;
}

bool run_panels(const HostCall& call) {
    const HostOperand &x = call.in[0], &weight = call.in[1], &out = call.out;
    if (!weight.leaf || element_count(out.shape) == 0) return false;
    const auto problem = panel_problem(call.kernel, weight, x.shape, out.shape);
    if (!problem) return false;
    const bool product = call.kernel.host == "matmul";
    if (x.strides[product ? 2 : 1] != 1 || out.strides[product ? 2 : 1] != 1) return false;
    const auto panels = panels_of(*problem, weight);
    const Rows rows = product ? rows_of_product(call) : rows_of_convolution(call);
    PanelRun(call, *problem, panels->data, rows).run();
    return true;
}

}  // namespace gpu
