// Public convolutions, and what their ops share.
#include "gpu/ops/conv.h"

#include <algorithm>

#include "gpu/base/error.h"
#include "gpu/graph/autocast.h"
#include "gpu/graph/kernel.h"
#include "gpu/graph/op.h"
#include "gpu/graph/shown.h"
#include "gpu/ops.h"

namespace gpu {

Shape three_axes(const Shape& lengths) {
    Shape result(3 - lengths.size(), 1);
    result.insert(result.end(), lengths.begin(), lengths.end());
    return result;
}

void check_conv(const Op& op, const ConvGeometry& g, const Spec& x, const Spec& weight, const Shape& y) {
    const std::size_t rank = g.rank();
    const auto all = [&](const Shape& list, std::int64_t least) {
        return list.size() == rank && std::all_of(list.begin(), list.end(), [&](auto i) { return i >= least; });
    };
    const bool positive = rank >= 1 && rank <= 3 && all(g.stride, 1) && all(g.dilation, 1) && all(g.before, 0) && all(g.after, 0) && g.groups >= 1;
    if (!positive) expect(op, false, "expected positive options for 1 to 3 axes, got {}", op.text());
    expect(op, is_float(x.dtype) && is_float(weight.dtype), "expected floating types, got {} and {}", shown(x), shown(weight));
    const Shape& w = weight.shape;
    expect(op, x.shape.size() == rank + 2 && w.size() == rank + 2 && y.size() == rank + 2,
           "expected maps [N, C, {} axes] and a weight [O, C / groups, {} axes], got {} and {}", rank, rank, shown(x), shown(weight));
    expect(op, x.shape[1] == w[1] * g.groups && w[0] % g.groups == 0 && y[1] == w[0] && y[0] == x.shape[0],
           "expected {} channels in {} groups, got {} and {}", w[1] * g.groups, g.groups, shown(x), shown(weight));
    for (std::size_t i = 0; i < rank; ++i)
        expect(op, w[2 + i] >= 1 && g.output(i, x.shape[2 + i], w[2 + i]) == y[2 + i] && y[2 + i] >= 1,
               "expected a map of at least the kernel's size, got {} and {} for {}", shown(x), shown(weight), shown(y));
}

std::vector<Shape> conv_taps(const ConvGeometry& geometry, const Shape& kernel) {
    std::vector<Shape> taps;
    Shape index(kernel.size(), 0);
    for (std::int64_t i = 0; i < element_count(kernel); ++i) {
        Shape offset;
        for (std::size_t d = 0; d < kernel.size(); ++d) offset.push_back(index[d] * geometry.dilation[d]);
        taps.push_back(std::move(offset));
        for (std::size_t d = kernel.size(); d-- > 0;) {
            if (++index[d] < kernel[d]) break;
            index[d] = 0;
        }
    }
    return taps;
}

Tensor conv_tap(const Tensor& padded, const ConvGeometry& geometry, const Shape& offset, const Shape& output) {
    Tensor tap = padded;
    for (std::size_t d = 0; d < offset.size(); ++d)
        tap = slice(tap, static_cast<int>(2 + d), offset[d], offset[d] + (output[d] - 1) * geometry.stride[d] + 1, geometry.stride[d]);
    return tap;
}

Tensor conv_tap_weight(const Tensor& weight, const ConvGeometry& geometry, std::size_t tap) {
    const std::int64_t o = weight.size(0), c = weight.size(1), taps = element_count(spatial(weight.shape()));
    const auto at = static_cast<std::int64_t>(tap);
    return reshape(slice(reshape(weight, {o, c, taps}), 2, at, at + 1), {geometry.groups, o / geometry.groups, c});
}

void conv_constants(KernelBuilder& kernel, const ConvGeometry& geometry, const Shape& weight) {
    Shape before(3 - geometry.rank(), 0);
    before.insert(before.end(), geometry.before.begin(), geometry.before.end());
    for (const Shape& list : {three_axes(spatial(weight)), three_axes(geometry.stride), three_axes(geometry.dilation), before})
        for (const std::int64_t value : list) kernel.constant(value);
    kernel.constant(geometry.groups);
}

void conv_shader(KernelBuilder& kernel, const ConvGeometry& geometry, const Shape& weight, const Shape& from, const Shape& to,
                 std::int64_t c_from, std::int64_t c_to) {
    // Each invocation computes 4 neighbouring pixels of `block` channels of one group; lanes run over channels.
    const std::int64_t block = c_to >= 4 ? 4 : 1;
    kernel.shader("convolution").define(block == 4 ? "BLOCK=4" : "BLOCK=1");
    conv_constants(kernel, geometry, weight);
    kernel.push(c_from).push(c_to);
    for (const Shape& lengths : {three_axes(spatial(from)), three_axes(spatial(to))})
        for (const std::int64_t length : lengths) kernel.push(length);
    const std::int64_t quads = to[0] * element_count(spatial(to)) / std::max<std::int64_t>(to.back(), 1) * ((to.back() + 3) / 4);
    kernel.push(quads);
    // More workgroups than one axis may have are folded into the next.
    const std::int64_t blocks = geometry.groups * ((c_to + block - 1) / block), rows = (quads + 3) / 4;
    const std::int64_t folded = std::min<std::int64_t>(rows, kernel.traits().max_groups);
    kernel.groups((blocks + 15) / 16, folded, folded == 0 ? 0 : (rows + folded - 1) / folded);
}

double conv_flop(const Shape& y, const Shape& weight) {
    return 2.0 * static_cast<double>(element_count(y)) * static_cast<double>(element_count(weight) / std::max<std::int64_t>(weight[0], 1));
}

namespace {

// One number for each spatial axis.
Shape each(const char* name, const PerAxis& given, std::size_t rank) {
    if (given.count == 1) return Shape(rank, given.numbers[0]);
    check(given.count == rank, ErrorCode::InvalidGraph, "{}: expected 1 or {} numbers, got {}", name, rank, given.count);
    return Shape(given.values().begin(), given.values().end());
}

// Runs before the geometry does: a wrong rank reads better named by the function that was called.
void check_rank(const char* name, const Tensor& x, const Tensor& weight, std::size_t rank) {
    check(x.shape().size() == rank + 2 && weight.shape().size() == rank + 2, ErrorCode::InvalidGraph,
          "{}: expected a map and a weight of rank {}, got {} and {}", name, rank + 2, shown(x.spec()), shown(weight.spec()));
}

Tensor conv(const char* name, const Tensor& map, const Tensor& filter, const ConvOptions& o, std::size_t rank) {
    const Tensor x = product_input(map), weight = product_input(filter);
    check_rank(name, x, weight, rank);
    ConvGeometry geometry{each(name, o.stride, rank), each(name, o.pad, rank), each(name, o.pad_end.count == 0 ? o.pad : o.pad_end, rank),
                          each(name, o.dilation, rank), o.groups};
    if (o.mode == PadMode::Zero) return convolution(x, weight, std::move(geometry));
    Shape before(2, 0), after(2, 0);
    before.insert(before.end(), geometry.before.begin(), geometry.before.end());
    after.insert(after.end(), geometry.after.begin(), geometry.after.end());
    geometry.before = geometry.after = Shape(rank, 0);
    return convolution(pad(x, before, after, o.mode), weight, std::move(geometry));
}

Tensor conv_transpose(const char* name, const Tensor& map, const Tensor& filter, const ConvTransposeOptions& o, std::size_t rank) {
    const Tensor x = product_input(map), weight = product_input(filter);
    check_rank(name, x, weight, rank);
    ConvGeometry geometry{each(name, o.stride, rank), each(name, o.pad, rank),
                                each(name, o.pad_end.count == 0 ? o.pad : o.pad_end, rank), each(name, o.dilation, rank), o.groups};
    const Shape extra = each(name, o.output_pad, rank);
    Shape size, beyond(rank + 2, 0);
    for (std::size_t i = 0; i < rank; ++i) {
        check(extra[i] >= 0 && extra[i] < std::max(geometry.stride[i], geometry.dilation[i]), ErrorCode::InvalidGraph,
              "{}: expected output_pad below the stride or the dilation, got {}", name, extra[i]);
        // More than a stride leaves over takes back what was cut off at the end; what is left then is beyond every
        // window: zeros.
        const std::int64_t inside = std::min(extra[i], geometry.stride[i] - 1), back = std::min(extra[i] - inside, geometry.after[i]);
        geometry.after[i] -= back;
        beyond[2 + i] = extra[i] - inside - back;
        size.push_back((x.size(static_cast<int>(2 + i)) - 1) * geometry.stride[i] - geometry.before[i] - geometry.after[i] +
                       geometry.dilation[i] * (weight.size(static_cast<int>(2 + i)) - 1) + 1 + inside);
        check(size.back() >= 1, ErrorCode::InvalidGraph, "{}: expected a result of at least 1 element an axis, got {}", name, size.back());
    }
    return pad(conv_input_grad(x, weight, geometry, size), Shape(rank + 2, 0), beyond);
}

}  // namespace

Tensor conv1d(const Tensor& x, const Tensor& weight, const ConvOptions& options) { return conv("conv1d", x, weight, options, 1); }
Tensor conv2d(const Tensor& x, const Tensor& weight, const ConvOptions& options) { return conv("conv2d", x, weight, options, 2); }
Tensor conv3d(const Tensor& x, const Tensor& weight, const ConvOptions& options) { return conv("conv3d", x, weight, options, 3); }

Tensor conv_transpose1d(const Tensor& x, const Tensor& weight, const ConvTransposeOptions& options) {
    return conv_transpose("conv_transpose1d", x, weight, options, 1);
}
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const ConvTransposeOptions& options) {
    return conv_transpose("conv_transpose2d", x, weight, options, 2);
}
Tensor conv_transpose3d(const Tensor& x, const Tensor& weight, const ConvTransposeOptions& options) {
    return conv_transpose("conv_transpose3d", x, weight, options, 3);
}

}  // namespace gpu
