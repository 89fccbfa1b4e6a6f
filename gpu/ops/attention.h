// What the kernel ops of attention share. The public function is gpu::attention (gpu/ops.h).
#pragma once

#include "gpu/graph/kernel.h"
#include "gpu/graph/op.h"

namespace gpu {

// Scores at or below half of this belong to keys that the query does not see: masked ones, those outside the window.
constexpr double attention_hidden_score = -1e30;

struct AttentionAttrs {
    double scale = 1;
    // Query i sees keys i - before ... i + after; -1: all on that side.
    std::int64_t before = -1, after = -1;

    Attrs attrs() const { return {{"scale", scale}, {"before", before}, {"after", after}}; }
    std::vector<std::int64_t> host_params() const { return {std::bit_cast<std::int64_t>(scale), before, after}; }
    // What the shaders know as ATTENTION_SIZES.
    void push_sizes(KernelBuilder& k, const Spec* v, const Spec* bias) const;
};

// Columns of a result of `width` numbers that one of eight neighbouring invocations computes, at most `most` (8 or 16): one of
// a few counts, since each is a pipeline. The columns that are left are other workgroups'.
std::int64_t attention_columns(std::int64_t width, std::int64_t most);

// q [B, H, Q, D], k [B, Hk, K, D], v [B, Hk, K, Dv], H a multiple of Hk; the bias [B or 1, H or 1, Q or 1, K or 1].
void check_attention(const Op& op, const Spec& q, const Spec& k, const Spec* v, const Spec* bias);

// scale q k^T + bias in F32, hidden where need be: [B, H, Q, K]. For composites.
Tensor attention_scores(const AttentionAttrs& attrs, const Tensor& q, const Tensor& k, const Tensor& bias);
// [B, Hk, K, D] -> [B, H, K, D]
Tensor repeat_heads(const Tensor& x, std::int64_t heads);

// log sum over keys of exp(score): F32 [B, H, Q]; 1e30 for a query that sees no key, so that exp(score - it) is 0.
Tensor attention_lse(const AttentionAttrs& attrs, const Tensor& q, const Tensor& k, const Tensor& bias);
// The cotangents {dq, dk, dv}, given that of the result. `delta` [B, H, Q] is the sum over Dv of dy times the result.
Tensors attention_grad(const AttentionAttrs& attrs, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& dy,
                       const Tensor& lse, const Tensor& delta, const Tensor& bias);

}  // namespace gpu
