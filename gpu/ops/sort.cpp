// Order along an axis. Blocks of a line are sorted by counting, then runs are merged pairwise: each pass is one dispatch, stable
// and without races. The result is always positions (I32); values are gathered, so that gradients follow gather's.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "gpu/base/error.h"
#include "gpu/graph/kernel.h"
#include "gpu/graph/op.h"
#include "gpu/graph/shown.h"
#include "gpu/ops.h"
#include "gpu/ops/lines.h"

namespace gpu {
namespace {

constexpr std::int64_t block_size = 64;
constexpr std::int64_t longest_line = 1 << 30;   // positions from there on mark what lies past the end

std::int64_t block_of(const Shape& x) { return std::clamp<std::int64_t>(x[1], 1, block_size); }
std::int64_t flip_of(bool descending) { return descending ? 0xffffffff : 0; }

// x [O, L, I] -> positions [O, blocks * min(block, keep), I]: each block sorted, the first `keep` of it.
struct SortBlocks final : Op {
    SortBlocks(bool descending, std::int64_t keep) : descending(descending), keep(keep) {}
    const bool descending;
    const std::int64_t keep;

    std::string_view name() const override { return "sort_blocks"; }
    Attrs attrs() const override { return {{"descending", std::int64_t{descending}}, {"keep", keep}}; }
    Spec infer(const Specs& in) const override {
        const Shape& x = in[0].shape;
        const std::int64_t block = block_of(x), blocks = (x[1] + block - 1) / block;
        return {{x[0], blocks * std::min(block, keep), x[2]}, Dtype::I32};
    }
    void lower(KernelBuilder& k) const override { lower_to(k, *this); }

    // Also what a whole sort of a short line is.
    template <typename Sort>
    static void lower_to(KernelBuilder& k, const Sort& sort) {
        const Shape& x = k.in_spec(0).shape;
        const std::int64_t block = block_of(x), blocks = (x[1] + block - 1) / block;
        k.shader("sort_blocks").in(0, {}).out(row_major(3));
        k.elements(x[0] * blocks * block * x[2]).push(x[1]).push(x[2]);
        k.push(block).push(blocks).push(std::min(block, sort.keep)).push(flip_of(sort.descending));
    }
};

// x [O, L, I], positions [O, runs * run, I] -> [O, half as many runs * min(2 run, keep), I].
struct MergeRuns final : Op {
    MergeRuns(bool descending, std::int64_t run, std::int64_t keep) : descending(descending), run(run), keep(keep) {}
    const bool descending;
    const std::int64_t run, keep;

    std::string_view name() const override { return "merge_runs"; }
    Attrs attrs() const override { return {{"descending", std::int64_t{descending}}, {"run", run}, {"keep", keep}}; }
    Spec infer(const Specs& in) const override {
        const std::int64_t runs = in[1].shape[1] / run;
        return {{in[1].shape[0], (runs + 1) / 2 * std::min(2 * run, keep), in[1].shape[2]}, Dtype::I32};
    }
    void lower(KernelBuilder& k) const override {
        const Shape &x = k.in_spec(0).shape, &ids = k.in_spec(1).shape;
        k.shader("merge_runs").in(0, {}).in(1, row_major(3)).out(row_major(3));
        k.elements(element_count(ids)).push(x[1]).push(x[2]).push(ids[1]).push(run);
        k.push(k.out_spec().shape[1]).push(std::min(2 * run, keep)).push(flip_of(descending));
    }
};

// x [O, L, I] -> the positions of the first `keep` elements of each sorted line, [O, keep, I].
struct Sort final : Op {
    Sort(bool descending, std::int64_t keep) : descending(descending), keep(keep) {}
    const bool descending;
    const std::int64_t keep;

    std::string_view name() const override { return "sort"; }
    Attrs attrs() const override { return {{"descending", std::int64_t{descending}}, {"keep", keep}}; }
    Spec infer(const Specs& in) const override {
        const Shape& x = in[0].shape;
        expect(*this, x.size() == 3 && keep >= 0 && keep <= x[1] && x[1] < longest_line,
               "expected [O, L, I] with L < 2^30 and at most L to keep, got {} and {}", shown(in[0]), keep);
        return {{x[0], keep, x[2]}, Dtype::I32};
    }
    void lower(KernelBuilder& k) const override {
        if (k.in_spec(0).shape[1] <= block_size) SortBlocks::lower_to(k, *this);
    }
    Tensor composite(const Tensors& in) const override {
        Tensor ids = apply_op<SortBlocks>({in[0]}, descending, keep);
        for (std::int64_t run = std::min(block_size, keep); run < ids.size(1); run = std::min(2 * run, keep))
            ids = apply_op<MergeRuns>({in[0], ids}, descending, run, keep);
        return slice(ids, 1, 0, keep);
    }
    std::optional<std::vector<double>> reference(const std::vector<std::span<const double>>& in, const Specs& specs) const override {
        const Shape& x = specs[0].shape;
        std::vector<double> result(static_cast<std::size_t>(x[0] * keep * x[2]));
        std::vector<std::int64_t> ids(x[1]);
        for (std::int64_t o = 0; o < x[0]; ++o)
            for (std::int64_t i = 0; i < x[2]; ++i) {
                const auto value = [&](std::int64_t j) { return in[0][(o * x[1] + j) * x[2] + i]; };
                const auto below = [&](double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; };
                std::iota(ids.begin(), ids.end(), 0);
                std::stable_sort(ids.begin(), ids.end(), [&](std::int64_t a, std::int64_t b) {
                    return descending ? below(value(b), value(a)) : below(value(a), value(b));
                });
                for (std::int64_t r = 0; r < keep; ++r) result[(o * keep + r) * x[2] + i] = static_cast<double>(ids[r]);
            }
        return result;
    }
    Tensors vjp(const Tensors&, const Tensor&, const Tensor&) const override { return {{}}; }
};

Tensor sorted_ids(const Tensor& x, int axis, bool descending, std::int64_t keep) {
    return from_lines(apply_op<Sort>({as_lines(x, axis)}, descending, keep), x.shape(), axis);
}

}  // namespace

REGISTER_OP(sort, Sort)

Tensor argsort(const Tensor& x, int axis, bool descending) {
    const int at = line_axis("argsort", x, axis);
    return sorted_ids(x, at, descending, x.shape()[at]);
}

Tensor sort(const Tensor& x, int axis, bool descending) { return gather(x, argsort(x, axis, descending), axis); }

TopK topk(const Tensor& x, std::int64_t k, int axis, bool largest) {
    const int at = line_axis("topk", x, axis);
    check(k >= 0 && k <= x.shape()[at], ErrorCode::InvalidGraph, "topk: expected 0 to {} elements of {}, got {}", x.shape()[at],
          shown(x.spec()), k);
    const Tensor ids = sorted_ids(x, at, largest, k);
    return {gather(x, ids, at), ids};
}

}  // namespace gpu
