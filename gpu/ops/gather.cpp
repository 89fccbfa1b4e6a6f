// Picks elements along an axis by index: x [O, L, I], ids I32 [O or 1, N, I or 1] -> [O, N, I].
#include <algorithm>
#include <cstring>
#include <mutex>

#include "gpu/base/error.h"
#include "gpu/graph/kernel.h"
#include "gpu/graph/op.h"
#include "gpu/graph/shown.h"
#include "gpu/ops.h"
#include "gpu/ops/lines.h"

namespace gpu {
namespace {

struct Gather final : Op {
    std::string_view name() const override { return "gather"; }

    Spec infer(const Specs& in) const override {
        const Shape &x = in[0].shape, &ids = in[1].shape;
        expect(*this, in[1].dtype == Dtype::I32, "expected I32 ids, got {}", shown(in[1]));
        expect(*this, x.size() == 3 && ids.size() == 3 && (ids[0] == x[0] || ids[0] == 1) && (ids[2] == x[2] || ids[2] == 1),
               "expected [O, L, I] and ids [O or 1, N, I or 1], got {} and {}", shown(in[0]), shown(in[1]));
        expect(*this, x[1] > 0 || ids[1] == 0, "expected elements to pick from, got {}", shown(in[0]));
        return {{x[0], ids[1], x[2]}, in[0].dtype};
    }
    void lower(KernelBuilder& k) const override {
        const Shape &x = k.in_spec(0).shape, &ids = k.in_spec(1).shape;
        k.shader("gather").in(0, {}).in_blocks().in(1, row_major(3)).out(row_major(3));
        k.elements(element_count(k.out_spec().shape)).push(x[1]).push(ids[1]).push(x[2]);
        k.push(ids[0] == 1 ? 0 : ids[1] * ids[2]).push(ids[2]).push(ids[2] == 1 ? 0 : 1);
    }
    std::optional<std::vector<double>> reference(const std::vector<std::span<const double>>& in, const Specs& specs) const override {
        const Shape &x = specs[0].shape, &ids = specs[1].shape;
        std::vector<double> y;
        for (std::int64_t o = 0; o < x[0]; ++o)
            for (std::int64_t n = 0; n < ids[1]; ++n)
                for (std::int64_t i = 0; i < x[2]; ++i) {
                    const double id = in[1][((ids[0] == 1 ? 0 : o) * ids[1] + n) * ids[2] + (ids[2] == 1 ? 0 : i)];
                    const auto from = std::clamp<std::int64_t>(static_cast<std::int64_t>(id), 0, x[1] - 1);
                    y.push_back(in[0][(o * x[1] + from) * x[2] + i]);
                }
        return y;
    }
    Tensors vjp(const Tensors& in, const Tensor&, const Tensor& dy) const override {
        return {scatter_add(dy, in[1], 1, in[0].size(1)), {}};
    }
};

// Ids that are there already are checked here; those that are computed first are clamped by the kernels.
void check_ids(std::string_view function, const Tensor& ids, std::int64_t length) {
    check(ids.dtype() == Dtype::I32, ErrorCode::InvalidGraph, "{}: expected I32 ids, got {}", function, shown(ids.spec()));
    if (ids.op()) return;
    const StorageRef value = ids.value();
    const std::lock_guard lock(value->mutex);
    for (std::size_t at = 0; at + sizeof(std::int32_t) <= value->host.size(); at += sizeof(std::int32_t)) {
        std::int32_t id = 0;
        std::memcpy(&id, value->host.data() + at, sizeof id);
        check(id >= 0 && id < length, ErrorCode::InvalidGraph, "{}: expected ids of 0 to {}, got {}", function, length - 1, id);
    }
}

// The ids as lines beside those of `like`: shared over all lines, or one set for each.
Tensor id_lines(std::string_view function, const Tensor& ids, const Tensor& like, int axis) {
    check(ids.rank() == like.rank(), ErrorCode::InvalidGraph, "{}: expected ids of rank {}, got {}", function, like.rank(), shown(ids.spec()));
    Shape full = like.shape();
    full[axis] = ids.shape()[axis];
    bool all_outer = true, one_outer = true, all_inner = true, one_inner = true;
    for (int i = 0; i < ids.rank(); ++i) {
        const std::int64_t length = ids.shape()[i];
        check(length == full[i] || length == 1, ErrorCode::InvalidGraph, "{}: expected ids that broadcast to {}, got {}", function,
              shown(full), shown(ids.spec()));
        bool &all = i < axis ? all_outer : all_inner, &one = i < axis ? one_outer : one_inner;
        if (i != axis) all = all && length == full[i], one = one && length == 1;
    }
    const bool plain = (all_outer || one_outer) && (all_inner || one_inner);
    return as_lines(plain ? ids : broadcast_to(ids, full), axis);
}

}  // namespace

REGISTER_OP(gather, Gather)

Tensor gather(const Tensor& x, const Tensor& ids, int axis) {
    const int at = line_axis("gather", x, axis);
    check_ids("gather", ids, x.shape()[at]);
    return from_lines(apply_op<Gather>({as_lines(x, at), id_lines("gather", ids, x, at)}), x.shape(), at);
}

Tensor take(const Tensor& x, const Tensor& ids, int axis) {
    const int at = line_axis("take", x, axis);
    check(ids.rank() == 1, ErrorCode::InvalidGraph, "take: expected ids [N], got {}", shown(ids.spec()));
    check_ids("take", ids, x.shape()[at]);
    return from_lines(apply_op<Gather>({as_lines(x, at), reshape(ids, {1, -1, 1})}), x.shape(), at);
}

Tensor embedding(const Tensor& table, const Tensor& ids) {
    check(table.rank() == 2, ErrorCode::InvalidGraph, "embedding: expected a table [V, D], got {}", shown(table.spec()));
    check_ids("embedding", ids, table.size(0));
    Shape shape = ids.shape();
    shape.push_back(table.size(1));
    const Tensor rows = apply_op<Gather>({reshape(table, {1, table.size(0), table.size(1)}), reshape(ids, {1, ids.element_count(), 1})});
    return reshape(rows, shape);
}

Tensor one_hot(const Tensor& ids, std::int64_t depth, Dtype dtype) {
    check(depth > 0, ErrorCode::InvalidGraph, "one_hot: expected a depth above 0, got {}", depth);
    check_ids("one_hot", ids, depth);
    return cast(equal(unsqueeze(ids, {-1}), arange(depth, Dtype::I32)), dtype);
}

}  // namespace gpu
