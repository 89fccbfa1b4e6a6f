// Running sums along an axis: x [O, L, I] -> [O, L, I].
#include "gpu/base/error.h"
#include "gpu/graph/kernel.h"
#include "gpu/graph/op.h"
#include "gpu/graph/shown.h"
#include "gpu/ops.h"
#include "gpu/ops/lines.h"

namespace gpu {
namespace {

constexpr std::int64_t block_size = 256;
constexpr std::int64_t enough_lines = 4096;   // to keep a device busy with an invocation each

struct CumSum final : Op {
    CumSum(bool exclusive, bool reverse) : exclusive(exclusive), reverse(reverse) {}
    const bool exclusive, reverse;

    std::string_view name() const override { return "cumsum"; }
    Attrs attrs() const override { return {{"exclusive", std::int64_t{exclusive}}, {"reverse", std::int64_t{reverse}}}; }
    Spec infer(const Specs& in) const override {
        expect(*this, in[0].shape.size() == 3 && (is_float(in[0].dtype) || in[0].dtype == Dtype::I32),
               "expected floating numbers or I32 [O, L, I], got {}", shown(in[0]));
        return in[0];
    }
    void lower(KernelBuilder& k) const override {
        const Shape& x = k.in_spec(0).shape;
        k.shader("cumsum").in(0, {}).out(row_major(3)).define(std::string("SUM=") + sum_type(k.in_spec(0).dtype));
        k.elements(x[0] * x[2]).push(x[1]).push(x[2]).push(exclusive).push(reverse);
    }
    std::optional<std::vector<double>> reference(const std::vector<std::span<const double>>& in, const Specs& specs) const override {
        const Shape& x = specs[0].shape;
        std::vector<double> y(in[0].size());
        for (std::int64_t o = 0; o < x[0]; ++o)
            for (std::int64_t i = 0; i < x[2]; ++i) {
                double sum = 0;
                for (std::int64_t t = 0; t < x[1]; ++t) {
                    const std::int64_t at = (o * x[1] + (reverse ? x[1] - 1 - t : t)) * x[2] + i;
                    y[at] = exclusive ? sum : sum + in[0][at];
                    sum += in[0][at];
                }
            }
        return y;
    }
    Tensors vjp(const Tensors&, const Tensor&, const Tensor& dy) const override {
        return {cumsum(dy, 1, {.exclusive = exclusive, .reverse = !reverse})};
    }
};

// Few long lines: sums within blocks, then of the blocks' totals.
Tensor running(const Tensor& lines, const CumsumOptions& options) {
    const std::int64_t outer = lines.size(0), length = lines.size(1), inner = lines.size(2);
    if (length <= 2 * block_size || outer * inner >= enough_lines)
        return apply_op<CumSum>({lines}, options.exclusive, options.reverse);
    const std::int64_t blocks = (length + block_size - 1) / block_size;
    const Tensor padded = reshape(pad(lines, {0, 0, 0}, {0, blocks * block_size - length, 0}), {outer * blocks, block_size, inner});
    const Tensor within = apply_op<CumSum>({padded}, options.exclusive, options.reverse);
    const Tensor totals = reshape(sum(padded, {1}), {outer, blocks, inner});
    const Tensor before = running(totals, {.exclusive = true, .reverse = options.reverse});
    const Tensor whole = within + reshape(before, {outer * blocks, 1, inner});
    return slice(reshape(whole, {outer, blocks * block_size, inner}), 1, 0, length);
}

}  // namespace

REGISTER_OP(cumsum, CumSum)

Tensor cumsum(const Tensor& x, int axis, const CumsumOptions& options) {
    const int at = line_axis("cumsum", x, axis);
    return from_lines(running(as_lines(x, at), options), x.shape(), at);
}

}  // namespace gpu
