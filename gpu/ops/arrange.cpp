// Rearrangements composed of movements: free views where strides can express them, else one copy.
#include <algorithm>
#include <numeric>

#include "gpu/base/error.h"
#include "gpu/graph/shown.h"
#include "gpu/ops.h"
#include "gpu/ops/lines.h"

namespace gpu {
namespace {

std::string text_of(const Shape& list) { return to_string(list); }

// Where the axes of [N, C, s1, f1, ..., sd, fd] come from in [N, (c and f1 ... fd in `order`), s1, ..., sd].
std::vector<int> depth_axes(int dims, DepthOrder order) {
    const int channel = order == DepthOrder::ChannelsFirst ? 1 : 1 + dims;
    const int factors = order == DepthOrder::ChannelsFirst ? 2 : 1;
    std::vector<int> axes{0, channel};
    for (int d = 0; d < dims; ++d) {
        axes.push_back(2 + dims + d);
        axes.push_back(factors + d);
    }
    return axes;
}

std::vector<int> inverse_of(const std::vector<int>& axes) {
    std::vector<int> inverse(axes.size());
    for (std::size_t i = 0; i < axes.size(); ++i) inverse[axes[i]] = static_cast<int>(i);
    return inverse;
}

int check_factors(std::string_view function, const Tensor& x, const Shape& factors) {
    const int dims = static_cast<int>(factors.size());
    check(dims >= 1 && dims <= 3 && x.rank() == dims + 2 && std::all_of(factors.begin(), factors.end(), [](auto f) { return f > 0; }),
          ErrorCode::InvalidGraph, "{}: expected [N, C, s1, ..., sd] and d lengths above 0 (d = 1 to 3), got {} and {}", function,
          shown(x.spec()), text_of(factors));
    return dims;
}

// The axes of [N, C, s1 / w1, w1, ...] in the order of [N, windows, positions, C].
std::vector<int> window_axes(int dims) {
    std::vector<int> axes{0};
    for (int d = 0; d < dims; ++d) axes.push_back(2 + 2 * d);
    for (int d = 0; d < dims; ++d) axes.push_back(3 + 2 * d);
    axes.push_back(1);
    return axes;
}

Tensor masked(const Tensor& x, const Tensor& mask) { return where(broadcast_to(mask, x.shape()), x, zeros_like(x)); }

}  // namespace

Tensor stack(const Tensors& parts, int axis) {
    check(!parts.empty(), ErrorCode::InvalidGraph, "stack: expected at least one part, got none");
    Tensors wide;
    for (const Tensor& part : parts) wide.push_back(unsqueeze(part, {axis}));
    return concat(wide, axis);
}

Tensors split(const Tensor& x, const Shape& lengths, int axis) {
    const int at = line_axis("split", x, axis);
    check(std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0}) == x.shape()[at] &&
              std::all_of(lengths.begin(), lengths.end(), [](auto length) { return length >= 0; }),
          ErrorCode::InvalidGraph, "split: expected lengths that sum to axis {} of {}, got {}", at, shown(x.spec()), text_of(lengths));
    Tensors parts;
    std::int64_t start = 0;
    for (const std::int64_t length : lengths) {
        parts.push_back(slice(x, at, start, start + length));
        start += length;
    }
    return parts;
}

Tensors chunk(const Tensor& x, std::int64_t count, int axis) {
    const int at = line_axis("chunk", x, axis);
    const std::int64_t length = x.shape()[at];
    check(count > 0, ErrorCode::InvalidGraph, "chunk: expected at least one part, got {}", count);
    const std::int64_t part = std::max<std::int64_t>(1, (length + count - 1) / count);
    Shape lengths;
    for (std::int64_t start = 0; start < length; start += part) lengths.push_back(std::min(part, length - start));
    return split(x, lengths, at);
}

Tensor repeat(const Tensor& x, const Shape& times) {
    check(times.size() == x.shape().size() && std::all_of(times.begin(), times.end(), [](auto t) { return t >= 0; }), ErrorCode::InvalidGraph,
          "repeat: expected a number for each axis of {}, got {}", shown(x.spec()), text_of(times));
    Shape apart, wide, joined;
    for (std::size_t i = 0; i < times.size(); ++i) {
        apart.insert(apart.end(), {1, x.shape()[i]});
        wide.insert(wide.end(), {times[i], x.shape()[i]});
        joined.push_back(times[i] * x.shape()[i]);
    }
    return reshape(broadcast_to(reshape(x, apart), wide), joined);
}

Tensor repeat_each(const Tensor& x, std::int64_t times, int axis) {
    const int at = line_axis("repeat_each", x, axis);
    check(times >= 0, ErrorCode::InvalidGraph, "repeat_each: expected a number of at least 0, got {}", times);
    Shape wide = x.shape(), joined = x.shape();
    wide.insert(wide.begin() + at + 1, times);
    joined[at] *= times;
    return reshape(broadcast_to(unsqueeze(x, {at + 1}), wide), joined);
}

Tensor roll(const Tensor& x, std::int64_t shift, int axis) {
    const int at = line_axis("roll", x, axis);
    const std::int64_t length = x.shape()[at];
    if (length == 0) return x;
    const std::int64_t by = (shift % length + length) % length;
    return by == 0 ? x : concat({slice(x, at, length - by, length), slice(x, at, 0, length - by)}, at);
}

Tensor depth_to_space(const Tensor& x, const Shape& factors, DepthOrder order) {
    const int dims = check_factors("depth_to_space", x, factors);
    const std::int64_t all = element_count(factors), channels = x.shape()[1] / all;
    check(x.shape()[1] % all == 0, ErrorCode::InvalidGraph, "depth_to_space: expected channels in multiples of {}, got {}", all, shown(x.spec()));
    Shape apart{x.shape()[0]}, joined{x.shape()[0], channels};
    if (order == DepthOrder::ChannelsFirst) apart.push_back(channels);
    apart.insert(apart.end(), factors.begin(), factors.end());
    if (order == DepthOrder::FactorsFirst) apart.push_back(channels);
    for (int d = 0; d < dims; ++d) {
        apart.push_back(x.shape()[2 + d]);
        joined.push_back(x.shape()[2 + d] * factors[d]);
    }
    return reshape(permute(reshape(x, apart), depth_axes(dims, order)), joined);
}

Tensor space_to_depth(const Tensor& x, const Shape& factors, DepthOrder order) {
    const int dims = check_factors("space_to_depth", x, factors);
    Shape apart{x.shape()[0], x.shape()[1]}, joined{x.shape()[0], x.shape()[1] * element_count(factors)};
    for (int d = 0; d < dims; ++d) {
        check(x.shape()[2 + d] % factors[d] == 0, ErrorCode::InvalidGraph, "space_to_depth: expected sizes in multiples of {}, got {}",
              text_of(factors), shown(x.spec()));
        apart.insert(apart.end(), {x.shape()[2 + d] / factors[d], factors[d]});
        joined.push_back(x.shape()[2 + d] / factors[d]);
    }
    return reshape(permute(reshape(x, apart), inverse_of(depth_axes(dims, order))), joined);
}

Tensor pixel_shuffle(const Tensor& x, std::int64_t factor) { return depth_to_space(x, {factor, factor}, DepthOrder::ChannelsFirst); }
Tensor pixel_unshuffle(const Tensor& x, std::int64_t factor) { return space_to_depth(x, {factor, factor}, DepthOrder::ChannelsFirst); }

Tensor window_partition(const Tensor& x, const Shape& window) {
    const int dims = check_factors("window_partition", x, window);
    Shape apart{x.shape()[0], x.shape()[1]};
    std::int64_t windows = 1;
    for (int d = 0; d < dims; ++d) {
        check(x.shape()[2 + d] % window[d] == 0, ErrorCode::InvalidGraph, "window_partition: expected sizes in multiples of {}, got {}",
              text_of(window), shown(x.spec()));
        apart.insert(apart.end(), {x.shape()[2 + d] / window[d], window[d]});
        windows *= x.shape()[2 + d] / window[d];
    }
    return reshape(permute(reshape(x, apart), window_axes(dims)), {x.shape()[0], windows, element_count(window), x.shape()[1]});
}

Tensor window_merge(const Tensor& x, const Shape& window, const Shape& sizes) {
    const int dims = static_cast<int>(window.size());
    bool fits = x.rank() == 4 && dims >= 1 && dims <= 3 && sizes.size() == window.size();
    for (int d = 0; fits && d < dims; ++d) fits = window[d] > 0 && sizes[d] % window[d] == 0;
    check(fits && x.shape()[2] == element_count(window) && x.shape()[1] * x.shape()[2] == element_count(sizes), ErrorCode::InvalidGraph,
          "window_merge: expected [N, windows, positions, C] for {} in windows of {}, got {}", text_of(sizes), text_of(window), shown(x.spec()));
    Shape apart{x.shape()[0]}, joined{x.shape()[0], x.shape()[3]};
    for (int d = 0; d < dims; ++d) apart.push_back(sizes[d] / window[d]);
    apart.insert(apart.end(), window.begin(), window.end());
    apart.push_back(x.shape()[3]);
    joined.insert(joined.end(), sizes.begin(), sizes.end());
    return reshape(permute(reshape(x, apart), inverse_of(window_axes(dims))), joined);
}

Tensor unfold(const Tensor& x, const UnfoldOptions& options) {
    const auto& [kh, kw, stride, border, dilation] = options;
    check(x.rank() == 4 && kh > 0 && kw > 0 && stride > 0 && border >= 0 && dilation > 0, ErrorCode::InvalidGraph,
          "unfold: expected [N, C, H, W], a kernel, stride and dilation above 0, got {}, {} x {}, {} and {}", shown(x.spec()), kh, kw, stride, dilation);
    const Tensor padded = pad(x, {0, 0, border, border}, {0, 0, border, border});
    const std::int64_t height = padded.size(2) - (kh - 1) * dilation, width = padded.size(3) - (kw - 1) * dilation;
    check(height > 0 && width > 0, ErrorCode::InvalidGraph, "unfold: expected a kernel inside {} with a border of {}, got {} x {}",
          shown(x.spec()), border, kh, kw);
    Tensors taps;
    for (std::int64_t ky = 0; ky < kh; ++ky)
        for (std::int64_t kx = 0; kx < kw; ++kx)
            taps.push_back(slice(slice(padded, 2, ky * dilation, ky * dilation + height, stride), 3, kx * dilation, kx * dilation + width, stride));
    const Tensor columns = stack(taps, 2);   // [N, C, KH KW, H', W']
    return reshape(columns, {x.size(0), x.size(1) * kh * kw, columns.size(3) * columns.size(4)});
}

Tensor lower_mask(std::int64_t rows, std::int64_t columns, std::int64_t diagonal) {
    const Tensor row = reshape(arange(rows, Dtype::I32), {rows, 1}), column = reshape(arange(columns, Dtype::I32), {1, columns});
    return less_equal(column, row + static_cast<double>(diagonal));
}

Tensor lower_triangle(const Tensor& x, std::int64_t diagonal) {
    check(x.rank() >= 2, ErrorCode::InvalidGraph, "lower_triangle: expected [..., M, N], got {}", shown(x.spec()));
    return masked(x, lower_mask(x.size(-2), x.size(-1), diagonal));
}

Tensor upper_triangle(const Tensor& x, std::int64_t diagonal) {
    check(x.rank() >= 2, ErrorCode::InvalidGraph, "upper_triangle: expected [..., M, N], got {}", shown(x.spec()));
    return where(broadcast_to(lower_mask(x.size(-2), x.size(-1), diagonal - 1), x.shape()), zeros_like(x), x);
}

// Every (N + 1)th element of the two axes laid end to end.
Tensor diagonal(const Tensor& x, int a, int b) {
    const int first = line_axis("diagonal", x, a), second = line_axis("diagonal", x, b);
    const std::int64_t length = x.shape()[first];
    check(first != second && x.shape()[second] == length, ErrorCode::InvalidGraph, "diagonal: expected two axes of one length, got {} and {} of {}",
          a, b, shown(x.spec()));
    std::vector<int> order;
    Shape flat;
    for (int i = 0; i < x.rank(); ++i)
        if (i != first && i != second) order.push_back(i), flat.push_back(x.shape()[i]);
    order.insert(order.end(), {first, second});
    flat.push_back(length * length);
    return length == 0 ? reshape(x, flat) : slice(reshape(permute(x, order), flat), -1, 0, length * length, length + 1);
}

}  // namespace gpu
