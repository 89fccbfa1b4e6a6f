#include "gpu/graph/long_reductions.h"

#include <algorithm>

#include "gpu/graph/op.h"
#include "gpu/ops.h"

namespace gpu {
namespace {

constexpr std::int64_t wanted_rows = 16384, wanted_sums = 65536;   // that run side by side: of a workgroup each, of a lane each
constexpr std::int64_t many_turns = 512;      // of a lane's loop over its share of a row
constexpr std::int64_t least_left = 16;
constexpr int most_depth = 16;                // of elementwise ops that follow a reshape

// `x` in another shape; elementwise ops before it are computed in that shape, so that they still fuse with the reduction.
Tensor reshaped(const Tensor& x, const Shape& shape, int depth = 0) {
    if (x.value() || !x.op() || x.op()->kind() != OpKind::Elementwise || depth == most_depth) return reshape(x, shape);
    Tensors inputs;
    for (const Tensor& input : x.inputs()) inputs.push_back(reshaped(input, shape, depth + 1));
    return apply_op(x.node()->op, inputs);
}

// The largest divisor of n that is at most `most`.
std::int64_t divisor(std::int64_t n, std::int64_t most) {
    for (std::int64_t d = std::min(n, most); d > 1; --d)
        if (n % d == 0) return d;
    return 1;
}

}  // namespace

Tensor in_two_steps(const Tensor& reduction, const DeviceTraits& traits) {
    const auto& op = static_cast<const ReduceOp&>(*reduction.op());
    const Tensor& x = reduction.inputs()[0];
    const Shape& shape = x.shape();
    const std::int64_t rows = reduction.element_count();
    if (traits.host_kernels || rows == 0) return {};   // the host's interpreter has its own way with long rows
    const std::int64_t length = x.element_count() / rows;
    // Where the last axis is reduced and no channel stays (maps lie channels last), a row lies side by side and gets a workgroup.
    const bool together = op.axes().back() + 1 == static_cast<int>(shape.size()) && (shape.size() < 4 || reduction.size(1) == 1);
    std::int64_t wanted = (together ? wanted_rows : wanted_sums) / rows;
    const std::int64_t most_parts = wanted, turns = together ? length / std::max<std::int64_t>(traits.lanes, 128) : length;
    if (turns < many_turns || wanted < 8) return {};

    // Whole axes wait for the second step, outer ones first: the innermost elements often lie side by side.
    std::vector<int> first, second;
    std::int64_t left = length;
    for (const int axis : op.axes()) {
        const std::int64_t size = shape[axis];
        const bool waits = size > 1 && size <= wanted && left / size >= least_left;
        (waits ? second : first).push_back(axis);
        if (waits) wanted /= size, left /= size;
    }
    if (!second.empty() && left < length / 4) return op.over(op.over(x, first), second);

    // One axis is cut in two.
    const auto axis = *std::max_element(op.axes().begin(), op.axes().end(), [&](int a, int b) { return shape[a] < shape[b]; });
    const std::int64_t parts = divisor(shape[axis], std::min(most_parts, shape[axis] / least_left));
    if (parts < 8) return {};
    Shape cut = shape;
    cut[axis] = parts;
    cut.insert(cut.begin() + axis + 1, shape[axis] / parts);
    std::vector<int> inner;
    for (const int a : op.axes()) inner.push_back(a < axis ? a : a + 1);
    Shape partial = reduction.shape();
    partial[axis] = parts;
    return op.over(reshape(op.over(reshaped(x, cut), inner), partial), {axis});
}

}  // namespace gpu
