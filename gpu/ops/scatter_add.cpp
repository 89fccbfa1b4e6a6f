// The adjoint of gather: x [O, N, I], ids I32 [O or 1, N, I or 1] -> [O, L, I], each element added to the row that its id names.
// No atomics: the ids are sorted first, then every row sums what belongs to it in the order of n.
#include <algorithm>

#include "gpu/base/error.h"
#include "gpu/graph/kernel.h"
#include "gpu/graph/op.h"
#include "gpu/graph/shown.h"
#include "gpu/ops.h"
#include "gpu/ops/lines.h"

namespace gpu {
namespace {

struct ScatterAdd final : Op {
    explicit ScatterAdd(std::int64_t length) : length(length) {}
    const std::int64_t length;

    std::string_view name() const override { return "scatter_add"; }
    Attrs attrs() const override { return {{"length", length}}; }

    // Inputs: x, ids, and the positions that sort the ids.
    Spec infer(const Specs& in) const override {
        const Shape &x = in[0].shape, &ids = in[1].shape;
        expect(*this, in[1].dtype == Dtype::I32 && in[2] == in[1], "expected I32 ids and their order, got {} and {}", shown(in[1]),
               shown(in[2]));
        expect(*this, is_float(in[0].dtype) || in[0].dtype == Dtype::I32, "expected floating numbers or I32, got {}", shown(in[0]));
        expect(*this, x.size() == 3 && ids.size() == 3 && ids[1] == x[1] && (ids[0] == x[0] || ids[0] == 1) && (ids[2] == x[2] || ids[2] == 1),
               "expected [O, N, I] and ids [O or 1, N, I or 1], got {} and {}", shown(in[0]), shown(in[1]));
        expect(*this, length > 0 || x[1] == 0, "expected rows to add to, got length {}", length);
        return {{x[0], length, x[2]}, in[0].dtype};
    }
    void lower(KernelBuilder& k) const override {
        const Shape &x = k.in_spec(0).shape, &ids = k.in_spec(1).shape;
        k.shader("scatter_add").in(0, {}).in(1, row_major(3)).in(2, row_major(3)).out(row_major(3));
        k.define(std::string("SUM=") + sum_type(k.in_spec(0).dtype));
        k.elements(element_count(k.out_spec().shape)).push(length).push(x[1]).push(x[2]);
        k.push(ids[0] == 1 ? 0 : ids[1] * ids[2]).push(ids[2]).push(ids[2] == 1 ? 0 : 1);
    }
    std::optional<std::vector<double>> reference(const std::vector<std::span<const double>>& in, const Specs& specs) const override {
        const Shape &x = specs[0].shape, &ids = specs[1].shape;
        std::vector<double> y(static_cast<std::size_t>(x[0] * length * x[2]), 0);
        for (std::int64_t o = 0; o < x[0]; ++o)
            for (std::int64_t n = 0; n < x[1]; ++n)
                for (std::int64_t i = 0; i < x[2]; ++i) {
                    const double id = in[1][((ids[0] == 1 ? 0 : o) * ids[1] + n) * ids[2] + (ids[2] == 1 ? 0 : i)];
                    const auto row = std::clamp<std::int64_t>(static_cast<std::int64_t>(id), 0, length - 1);
                    y[(o * length + row) * x[2] + i] += in[0][(o * x[1] + n) * x[2] + i];
                }
        return y;
    }
    Tensors vjp(const Tensors& in, const Tensor&, const Tensor& dy) const override { return {gather(dy, in[1], 1), {}, {}}; }
};

}  // namespace

REGISTER_OP(scatter_add, ScatterAdd)

Tensor scatter_add(const Tensor& x, const Tensor& ids, int axis, std::int64_t length) {
    const int at = line_axis("scatter_add", x, axis);
    check(length >= 0 && ids.rank() == x.rank() && ids.shape()[at] == x.shape()[at], ErrorCode::InvalidGraph,
          "scatter_add: expected ids along axis {} of {}, got {}", at, shown(x.spec()), shown(ids.spec()));
    // One set of ids for all lines stays one: it is sorted once.
    Shape shared(x.rank(), 1);
    shared[at] = x.shape()[at];
    const bool lines = x.rank() == 3 && at == 1 && (ids.size(0) == x.size(0) || ids.size(0) == 1) && (ids.size(2) == x.size(2) || ids.size(2) == 1);
    const Tensor narrow = ids.shape() == shared || lines ? as_lines(ids, at) : as_lines(broadcast_to(ids, x.shape()), at);
    return from_lines(apply_op<ScatterAdd>({as_lines(x, at), narrow, argsort(narrow, 1)}, length), x.shape(), at);
}

}  // namespace gpu
