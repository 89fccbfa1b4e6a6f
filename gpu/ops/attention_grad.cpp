// The cotangents of queries, keys and values, from probabilities that are recomputed tile by tile:
//     P = exp(S - lse), dV = P^T dY, dS = P (dY V^T - delta), dQ = scale dS K, dK = scale dS^T Q   (arXiv:2205.14135, B.4)
// An op has one result: the three lie one behind the other in it, each as [B, T, H, D], and are cut out by views.
#include <algorithm>

#include "gpu/base/error.h"
#include "gpu/graph/shown.h"
#include "gpu/ops.h"
#include "gpu/ops/attention.h"

namespace gpu {
namespace {

// [B, H, T, D] -> its elements as [B, T, H, D] in a row, and back.
Tensor flattened(const Tensor& x) { return reshape(permute(x, {0, 2, 1, 3}), {-1}); }
Tensor cut(const Tensor& flat, std::int64_t start, const Shape& s) {
    return permute(reshape(slice(flat, 0, start, start + element_count(s)), {s[0], s[2], s[1], s[3]}), {0, 2, 1, 3});
}

struct AttentionGrad final : Op {
    explicit AttentionGrad(const AttentionAttrs& a) : a(a) {}
    const AttentionAttrs a;

    std::string_view name() const override { return "attention_grad"; }
    Attrs attrs() const override { return a.attrs(); }

    // q, k, v, dy, lse, delta and perhaps a bias.
    Spec infer(const Specs& in) const override {
        const bool biased = in.size() > 6;
        check_attention(*this, in[0], in[1], &in[2], biased ? &in[6] : nullptr);
        const Shape &q = in[0].shape, rows{q[0], q[1], q[2]}, y{q[0], q[1], q[2], in[2].shape[3]};
        expect(*this, in[3].shape == y && in[4].shape == rows && in[5].shape == rows, "expected {}, {} and {}, got {}, {} and {}",
               shown(y), shown(rows), shown(rows), shown(in[3]), shown(in[4]), shown(in[5]));
        return {{element_count(in[0].shape) + element_count(in[1].shape) + element_count(in[2].shape)}, in[0].dtype};
    }

    void lower(KernelBuilder& k) const override {
        const bool biased = k.input_count() > 6;
        const Shape &q = k.in_spec(0).shape, &v = k.in_spec(2).shape;
        // A workgroup computes 32 rows and up to 64 columns of one of the three results.
        const std::int64_t columns = attention_columns(std::max(q[3], v[3]), 8);
        const auto in_chunks = [&](std::int64_t width) { return (width + 8 * columns - 1) / (8 * columns); };
        const std::int64_t query_tiles = (q[2] + 31) / 32, key_tiles = (v[2] + 31) / 32;
        k.shader("attention_grad").out(row_major(1));
        for (const int i : {0, 1, 2, 3}) k.in(i, {0, 2, 1, 3});
        k.in(4, row_major(3)).in(5, row_major(3));
        k.host("attention_grad", a.host_params()).host_any_float().host_in(0, {}).host_in(1, {}).host_in(2, {}).host_in(3, {});
        k.host_in(4, row_major(3)).host_in(5, row_major(3));
        if (biased) k.define("HAS_BIAS").in(6, row_major(4)).host_in(6, {});
        a.push_sizes(k, &k.in_spec(2), biased ? &k.in_spec(6) : nullptr);
        k.constant(columns);
        k.groups(query_tiles * in_chunks(q[3]) + key_tiles * (in_chunks(q[3]) + in_chunks(v[3])), q[1], q[0]);
        k.flop(2.0 * static_cast<double>(q[0] * q[1] * q[2]) * static_cast<double>(v[2] * (3 * q[3] + 2 * v[3])));
    }

    Tensor composite(const Tensors& in) const override {
        const Tensor bias = in.size() > 6 ? in[6] : Tensor();
        const std::int64_t heads = in[0].size(1);
        const auto wide = [](const Tensor& x) { return cast(x, Dtype::F32); };
        const Tensor q = wide(in[0]), dy = wide(in[3]);
        const Tensor k = repeat_heads(wide(in[1]), heads), v = repeat_heads(wide(in[2]), heads);
        const Tensor p = exp(attention_scores(a, in[0], in[1], bias) - unsqueeze(in[4], {3}));        // [B, H, Q, K]
        const Tensor ds = p * (matmul(dy, transpose(v, 2, 3)) - unsqueeze(in[5], {3})) * a.scale;
        const auto per_group = [&](const Tensor& x, const Shape& s) {
            return sum(reshape(x, {s[0], s[1], heads / s[1], s[2], s[3]}), {2}, false);
        };
        const Tensor flat = concat({flattened(matmul(ds, k)), flattened(per_group(matmul(transpose(ds, 2, 3), q), in[1].shape())),
                                    flattened(per_group(matmul(transpose(p, 2, 3), dy), in[2].shape()))}, 0);
        return cast(flat, in[0].dtype());
    }
};

}  // namespace

REGISTER_OP(attention_grad, AttentionGrad)

Tensors attention_grad(const AttentionAttrs& attrs, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& dy,
                       const Tensor& lse, const Tensor& delta, const Tensor& bias) {
    Tensors in{q, k, v, dy, lse, delta};
    if (bias) in.push_back(bias);
    const Tensor flat = apply_op<AttentionGrad>(in, attrs);
    const std::int64_t at_k = q.element_count(), at_v = at_k + k.element_count();
    return {cut(flat, 0, q.shape()), cut(flat, at_k, k.shape()), cut(flat, at_v, v.shape())};
}

}  // namespace gpu
