#include "gpu/train/clip.h"

#include "gpu/base/error.h"
#include "gpu/graph/autodiff.h"
#include "gpu/graph/graph_lock.h"
#include "gpu/graph/op.h"
#include "gpu/ops.h"

namespace gpu::train {
namespace {

constexpr std::int64_t row = 8192;   // elements summed by one workgroup

Tensor total(const Tensor& x) { return reshape(sum(x), {1}); }

}  // namespace

Tensor sum_of_squares(const Tensor& x) {
    const std::int64_t count = x.element_count(), rows = count / row;
    if (rows < 2) return total(square(x));
    // Rows first: one sum over everything would be the work of a single workgroup, and less exact.
    const Tensor flat = reshape(x, {count});
    const Tensor whole = total(sum(square(reshape(slice(flat, 0, 0, rows * row), {rows, row})), {1}));
    return rows * row == count ? whole : whole + total(square(slice(flat, 0, rows * row, count)));
}

Tensor global_norm(const Tensors& gradients) {
    check(!gradients.empty(), ErrorCode::InvalidGraph, "global_norm: expected gradients, got none");
    Tensors parts;
    for (const Tensor& gradient : gradients) parts.push_back(sum_of_squares(gradient));
    return sqrt(total(concat(parts, 0)));
}

Tensor scaled(const Tensor& x, const Tensor& factor) { return x * reshape(factor, Shape(static_cast<std::size_t>(x.rank()), 1)); }

Tensor computed_for(const Tensor& x, const Tensor& reader) {
    const GraphLock walk;
    if (!x.op() || x.value() || x.op()->kind() != OpKind::Elementwise) return x;
    Tensors inputs;
    for (const Tensor& input : x.inputs()) inputs.push_back(barrier(input, reader));
    return apply_op(x.node()->op, inputs);
}

Tensor clip_factor(const Tensor& norm, double max_norm) {
    check(max_norm > 0, ErrorCode::InvalidGraph, "clip_factor: expected a limit above 0, got {}", max_norm);
    return minimum(max_norm / (norm + 1e-6), 1.0);
}

Tensors clip_by_norm(const Tensors& gradients, const Tensor& norm, double max_norm) {
    const Tensor factor = clip_factor(norm, max_norm);
    Tensors clipped;
    for (const Tensor& gradient : gradients) clipped.push_back(scaled(gradient, factor));
    return clipped;
}

Tensors clip_by_value(const Tensors& gradients, double limit) {
    check(limit > 0, ErrorCode::InvalidGraph, "clip_by_value: expected a limit above 0, got {}", limit);
    Tensors clipped;
    for (const Tensor& gradient : gradients) clipped.push_back(clamp(gradient, -limit, limit));
    return clipped;
}

}  // namespace gpu::train
