// a [B, M, K] b [B or 1, K, N] -> [B, M, N], any strides. Leading axes are folded by the public function.
#include <algorithm>
#include <utility>

#include "gpu/base/error.h"
#include "gpu/graph/autocast.h"
#include "gpu/graph/kernel.h"
#include "gpu/graph/op.h"
#include "gpu/graph/shown.h"
#include "gpu/ops.h"
#include "gpu/ops/gemm.h"

namespace gpu {
namespace {

// How many workgroups, or invocations, meet an element: each takes `block` rows (columns) of the other matrix.
double blocks(std::int64_t size, std::int64_t block) { return static_cast<double>((size + block - 1) / block); }

GemmShape shape_of(const Spec& a, const Spec& b) { return {a.shape[0], a.shape[1], b.shape[2], a.shape[2]}; }

void lower_tiled(KernelBuilder& k, const GemmTiling& tiling, const SplitK& split) {
    const Spec &a = k.in_spec(0), &b = k.in_spec(1);
    const GemmShape shape = shape_of(a, b);
    k.in(0, {}).with_prologue(blocks(shape.n, tiling.n)).in(1, {}).in_blocks().with_prologue(blocks(shape.m, tiling.m));
    k.push(shape.m).push(shape.n).push(shape.k).push(b.shape[0] == 1 ? 0 : 1);
    if (split.parts > 1) k.push(shape.batch).push(split.length);
    lower_gemm(k, "matmul", tiling, shape, shape.k % tiling.step_k() != 0, split.parts);
}

// The first step of a product that is split along k: to be summed over the parts.
struct MatmulParts final : Op {
    MatmulParts(std::string variant, const GemmShape& shape)
        : variant(std::move(variant)), tiling(gemm_tiling(this->variant)), split(split_k(tiling, shape.k, gemm_parts(this->variant))) {}
    const std::string variant;
    const GemmTiling& tiling;
    const SplitK split;

    std::string_view name() const override { return "matmul_parts"; }
    Attrs attrs() const override { return {{"parts", split.parts}}; }
    Spec infer(const Specs& in) const override {
        const GemmShape shape = shape_of(in[0], in[1]);
        return {shape_of_parts(split.parts, {shape.batch, shape.m, shape.n}), Dtype::F32};
    }
    void lower(KernelBuilder& k) const override {
        k.kernel().variant = variant;
        lower_tiled(k, tiling, split);
        k.out(row_major(k.out_spec().shape.size())).flop(gemm_flop(shape_of(k.in_spec(0), k.in_spec(1))));
    }
};

constexpr std::int64_t most_dot_rows = 4;   // of shaders/matmul_dot.comp

// Whether x [B, K, N] lies in memory as [B, N, K]: the weight of a linear layer.
bool lies_turned(const Tensor& x) {
    std::vector<const MovementOp*> moves;
    Tensor root = x;
    for (; root.op() && root.op()->kind() == OpKind::Movement; root = root.inputs()[0]) moves.push_back(static_cast<const MovementOp*>(root.op()));
    View view{0, root.shape(), dense_strides(root.shape(), row_major(root.shape().size()))};
    for (std::size_t i = moves.size(); i-- > 0;) {
        const View from = std::exchange(view, {});
        if (!moves[i]->view(from, view)) return false;
    }
    return view.strides[1] == 1 && view.strides[2] == x.size(1);
}

struct Matmul final : Op {
    std::string_view name() const override { return "matmul"; }

    Spec infer(const Specs& in) const override {
        const Shape &a = in[0].shape, &b = in[1].shape;
        expect(*this, a.size() == 3 && b.size() == 3 && a[2] == b[1] && (b[0] == a[0] || b[0] == 1),
               "expected [B, M, K] and [B, K, N], got {} and {}", shown(in[0]), shown(in[1]));
        expect(*this, is_float(in[0].dtype) && is_float(in[1].dtype), "expected floating types, got {} and {}", shown(in[0]), shown(in[1]));
        return {{a[0], a[1], b[2]}, promote(in[0].dtype, in[1].dtype)};
    }

    std::vector<std::string> variants(const Specs& in, const DeviceTraits& traits) const override {
        const GemmShape shape = shape_of(in[0], in[1]);
        std::vector<std::string> names = gemm_variants(shape, in[0].dtype == Dtype::F16 && in[1].dtype == Dtype::F16, traits);
        // Tiles of one row leave most of a GPU idle, and so does an invocation that walks along all of k.
        if (shape.m <= most_dot_rows && shape.m * shape.batch <= traits.max_groups && (shape.n + 3) / 4 <= traits.max_groups && shape.n > 0)
            names.insert(traits.software ? names.end() : names.begin(), "dot");
        return names;
    }

    void lower(KernelBuilder& k) const override {
        const Shape &a = k.in_spec(0).shape, &out = k.out_spec().shape;
        k.out(row_major(3)).with_epilogue();
        if (k.variant() == "dot") {
            k.in(0, {}).with_prologue(blocks(out[2], 4)).in(1, {}).in_blocks().with_prologue(static_cast<double>(out[1])).with_vectors();
            k.push(out[1]).push(out[2]).push(a[2]).push(k.in_spec(1).shape[0] == 1 ? 0 : 1);
            k.shader("matmul_dot").define("LANES=" + std::to_string(k.traits().lanes)).groups((out[2] + 3) / 4, out[1], out[0]);
        } else if (const GemmTiling& tiling = gemm_tiling(k.variant()); tiling.kind != GemmKind::Simple) {
            lower_tiled(k, tiling, {});
        } else {
            k.in(0, {}).with_prologue(blocks(out[2], 4)).in(1, {}).in_blocks().with_prologue(blocks(out[1], 4)).push(out[1]).push(out[2]).push(a[2]).push(k.in_spec(1).shape[0] == 1 ? 0 : 1);
            // Each invocation computes 4 x 4 elements; neighbouring lanes take neighbouring columns.
            const std::int64_t columns = (out[2] + 3) / 4, rows = (out[1] + 3) / 4;
            k.shader("matmul").groups((columns + 15) / 16, (rows + 3) / 4, out[0]);
        }
        k.host("matmul").host_in(0, {}).host_in(1, {}).host_in_blocks().host_any_float();
        k.flop(gemm_flop(shape_of(k.in_spec(0), k.in_spec(1))));
    }

    Tensor variant_graph(const Tensors& in, const std::string& variant) const override {
        if (gemm_parts(variant) == 1) return {};
        const Spec out = infer({in[0].spec(), in[1].spec()});
        return sum_of_parts(apply_op<MatmulParts>(in, variant, shape_of(in[0].spec(), in[1].spec())), out);
    }

    // Multiply everything with everything and sum over K.
    Tensor composite(const Tensors& in) const override {
        return sum(unsqueeze(in[0], {3}) * unsqueeze(in[1], {1}), {2}, false);   // [B, M, K, 1] * [B, 1, K, N]
    }

    Tensors vjp(const Tensors& in, const Tensor&, const Tensor& dy) const override {
        const Tensor da = matmul(dy, transpose(in[1], 1, 2));
        // Such a weight's gradient is computed as the weight lies, since it ends there and would have to be turned.
        const Tensor db = lies_turned(in[1]) ? transpose(matmul(transpose(dy, 1, 2), in[0]), 1, 2)
                                             : matmul(transpose(in[0], 1, 2), dy);
        return {cast(da, in[0].dtype()), cast(sum_to(db, in[1].shape()), in[1].dtype())};
    }
};

}  // namespace

REGISTER_OP(matmul, Matmul)

Tensor matmul(const Tensor& left, const Tensor& right) {
    const Tensor a = product_input(left), b = product_input(right);
    check(a.rank() >= 2 && b.rank() >= 2, ErrorCode::InvalidGraph, "matmul: expected ranks of at least 2, got {} and {}",
          shown(a.spec()), shown(b.spec()));
    const std::int64_t m = a.size(-2), k = a.size(-1), n = b.size(-1);
    check(b.size(-2) == k, ErrorCode::InvalidGraph, "matmul: expected [..., M, K] and [..., K, N], got {} and {}",
          shown(a.spec()), shown(b.spec()));
    Shape lead(a.shape().begin(), a.shape().end() - 2);
    Shape lead_b(b.shape().begin(), b.shape().end() - 2);
    if (element_count(lead_b) == 1) {
        // One right-hand matrix: the leading axes of `a` are more rows.
        const Tensor product = apply_op<Matmul>({reshape(a, {1, element_count(lead) * m, k}), reshape(b, {1, k, n})});
        while (lead.size() < lead_b.size()) lead.insert(lead.begin(), 1);
        lead.insert(lead.end(), {m, n});
        return reshape(product, lead);
    }
    while (lead.size() < lead_b.size()) lead.insert(lead.begin(), 1);
    while (lead_b.size() < lead.size()) lead_b.insert(lead_b.begin(), 1);
    for (std::size_t i = 0; i < lead.size(); ++i) lead[i] = std::max(lead[i], lead_b[i]);
    const auto widened = [&](const Tensor& x, std::int64_t rows, std::int64_t columns) {
        Shape shape = lead;
        shape.insert(shape.end(), {rows, columns});
        return reshape(broadcast_to(x, shape), {element_count(lead), rows, columns});
    };
    const Tensor product = apply_op<Matmul>({widened(a, m, k), widened(b, k, n)});
    lead.insert(lead.end(), {m, n});
    return reshape(product, lead);
}

}  // namespace gpu
