// The logarithm of each query's sum of exp(score): what the backward pass needs to recompute probabilities tile by tile.
#include "gpu/ops.h"
#include "gpu/ops/attention.h"

namespace gpu {
namespace {

struct AttentionLse final : Op {
    explicit AttentionLse(const AttentionAttrs& a) : a(a) {}
    const AttentionAttrs a;

    std::string_view name() const override { return "attention_lse"; }
    Attrs attrs() const override { return a.attrs(); }

    Spec infer(const Specs& in) const override {
        check_attention(*this, in[0], in[1], nullptr, in.size() > 2 ? &in[2] : nullptr);
        return {{in[0].shape[0], in[0].shape[1], in[0].shape[2]}, Dtype::F32};
    }

    void lower(KernelBuilder& k) const override {
        const bool biased = k.input_count() > 2;
        const Shape& q = k.in_spec(0).shape;
        const std::int64_t keys = k.in_spec(1).shape[2];
        k.shader("attention_lse").in(0, {}).in(1, {}).out(row_major(3));
        k.host("attention_lse", a.host_params()).host_any_float().host_in(0, {}).host_in(1, {});
        if (biased) k.define("HAS_BIAS").in(2, row_major(4)).host_in(2, {});
        a.push_sizes(k, nullptr, biased ? &k.in_spec(2) : nullptr);
        k.groups((q[2] + 31) / 32, q[1], q[0]);
        k.flop(2.0 * static_cast<double>(q[0] * q[1] * q[2]) * static_cast<double>(keys * q[3]));
    }

    Tensor composite(const Tensors& in) const override {
        if (in[1].size(2) == 0) return full({in[0].size(0), in[0].size(1), in[0].size(2)}, -attention_hidden_score);
        const Tensor s = attention_scores(a, in[0], in[1], in.size() > 2 ? in[2] : Tensor());
        const Tensor most = max(s, {3});
        const Tensor seen = less(full_like(most, attention_hidden_score / 2), most);
        const Tensor lse = where(seen, most + log(sum(exp(s - most), {3})), full_like(most, -attention_hidden_score));
        return squeeze(lse, {3});
    }
};

}  // namespace

REGISTER_OP(attention_lse, AttentionLse)

Tensor attention_lse(const AttentionAttrs& attrs, const Tensor& q, const Tensor& k, const Tensor& bias) {
    Tensors in{q, k};
    if (bias) in.push_back(bias);
    return apply_op<AttentionLse>(in, attrs);
}

}  // namespace gpu
