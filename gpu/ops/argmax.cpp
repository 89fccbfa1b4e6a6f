// The position of the greatest or least element of each line: x [O, L, I] -> I32 [O, 1, I].
#include <cmath>

#include "gpu/base/error.h"
#include "gpu/graph/kernel.h"
#include "gpu/graph/op.h"
#include "gpu/graph/shown.h"
#include "gpu/ops.h"
#include "gpu/ops/lines.h"

namespace gpu {
namespace {

struct ArgMax final : Op {
    explicit ArgMax(bool least) : least(least) {}
    const bool least;

    std::string_view name() const override { return "argmax"; }
    Attrs attrs() const override { return {{"least", std::int64_t{least}}}; }
    Spec infer(const Specs& in) const override {
        const Shape& x = in[0].shape;
        expect(*this, x.size() == 3 && x[1] > 0, "expected [O, L, I] with elements along the axis, got {}", shown(in[0]));
        return {{x[0], 1, x[2]}, Dtype::I32};
    }
    void lower(KernelBuilder& k) const override {
        const Shape& x = k.in_spec(0).shape;
        const std::int64_t lines = x[0] * x[2];
        k.shader("argmax").in(0, {}).out(row_major(3)).elements(lines).push(x[1]).push(x[2]).push(least ? 0xffffffff : 0);
        // Lanes share a line where its elements lie side by side, or where lines are too few to fill the device.
        const bool contiguous = x[2] == 1, few = lines <= 64;
        if (lines > 0 && lines <= k.traits().max_groups && x[1] >= 16 && (contiguous || few)) k.define("COOPERATIVE").groups(lines);
    }
    std::optional<std::vector<double>> reference(const std::vector<std::span<const double>>& in, const Specs& specs) const override {
        const Shape& x = specs[0].shape;
        std::vector<double> ids;
        for (std::int64_t o = 0; o < x[0]; ++o)
            for (std::int64_t i = 0; i < x[2]; ++i) {
                const auto value = [&](std::int64_t j) { return in[0][(o * x[1] + j) * x[2] + i]; };
                const auto below = [](double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; };
                std::int64_t best = 0;
                for (std::int64_t j = 1; j < x[1]; ++j)
                    if (least ? below(value(j), value(best)) : below(value(best), value(j))) best = j;
                ids.push_back(static_cast<double>(best));
            }
        return ids;
    }
    Tensors vjp(const Tensors&, const Tensor&, const Tensor&) const override { return {{}}; }
};

Tensor position(std::string_view function, const Tensor& x, int axis, bool keep, bool least) {
    const int at = line_axis(function, x, axis);
    const Tensor ids = from_lines(apply_op<ArgMax>({as_lines(x, at)}, least), x.shape(), at);
    return keep ? ids : squeeze(ids, {at});
}

}  // namespace

REGISTER_OP(argmax, ArgMax)

Tensor argmax(const Tensor& x, int axis, bool keep) { return position("argmax", x, axis, keep, false); }
Tensor argmin(const Tensor& x, int axis, bool keep) { return position("argmin", x, axis, keep, true); }

}  // namespace gpu
