// Movement primitives: other views of the same elements. reshape, permute, broadcast_to, slice (and its mirror image
// flip) cost nothing where strides can express them; pad writes zeros and is a kernel of its own.
#include <algorithm>
#include <numeric>

#include "gpu/base/error.h"
#include "gpu/graph/op.h"
#include "gpu/graph/shown.h"
#include "gpu/ops.h"

namespace gpu {
namespace {

using Index = std::vector<std::int64_t>;

std::int64_t linear(const Index& index, const Shape& shape) {
    std::int64_t at = 0;
    for (std::size_t i = 0; i < shape.size(); ++i) at = at * shape[i] + index[i];
    return at;
}

struct Reshape final : MovementOp {
    explicit Reshape(Shape shape) : shape(std::move(shape)) {}
    const Shape shape;

    std::string_view name() const override { return "reshape"; }
    Attrs attrs() const override { return {{"shape", shape}}; }
    Spec infer(const Specs& in) const override {
        expect(*this, element_count(shape) == element_count(in[0].shape), "expected {} elements, got {}",
               element_count(in[0].shape), shown(shape));
        return {shape, in[0].dtype};
    }
    // Walks both shapes in groups of equal element count; a group of the input must lie evenly in memory.
    bool view(const View& in, View& out) const override {
        out = {in.offset, shape, Shape(shape.size(), 0)};
        if (element_count(shape) == 0) return false;
        std::size_t i = 0, o = 0;
        while (i < in.shape.size() || o < shape.size()) {
            const std::size_t i0 = i, o0 = o;
            std::int64_t count_in = i < in.shape.size() ? in.shape[i++] : 1;
            std::int64_t count_out = o < shape.size() ? shape[o++] : 1;
            while (count_in != count_out) {
                if (count_in < count_out) count_in *= in.shape[i++];
                else count_out *= shape[o++];
            }
            // The group's input dimensions, those of length 1 apart, must merge into one stride.
            std::int64_t stride = 0, expected = -1;
            for (std::size_t d = i; d-- > i0;) {
                if (in.shape[d] == 1) continue;
                if (expected >= 0 && in.strides[d] != expected) return false;
                if (expected < 0) stride = in.strides[d];
                expected = in.strides[d] * in.shape[d];
            }
            for (std::size_t d = o; d-- > o0;) {
                out.strides[d] = stride;
                stride *= shape[d];
            }
        }
        return true;
    }
    std::int64_t source(const Index& index, const Shape&) const override { return linear(index, shape); }
    Tensors vjp(const Tensors& in, const Tensor&, const Tensor& dy) const override { return {reshape(dy, in[0].shape())}; }
};

struct Permute final : MovementOp {
    explicit Permute(std::vector<int> order) : order(std::move(order)) {}
    const std::vector<int> order;

    std::string_view name() const override { return "permute"; }
    Attrs attrs() const override { return {{"order", Shape(order.begin(), order.end())}}; }
    Spec infer(const Specs& in) const override {
        std::vector<int> sorted = order;
        std::sort(sorted.begin(), sorted.end());
        expect(*this, sorted == row_major(in[0].shape.size()), "expected a permutation of the axes of {}, got {}",
               shown(in[0]), shown(Shape(order.begin(), order.end())));
        Spec out{{}, in[0].dtype};
        for (const int axis : order) out.shape.push_back(in[0].shape[axis]);
        return out;
    }
    bool view(const View& in, View& out) const override {
        out = {in.offset, {}, {}};
        for (const int axis : order) {
            out.shape.push_back(in.shape[axis]);
            out.strides.push_back(in.strides[axis]);
        }
        return true;
    }
    std::int64_t source(const Index& index, const Shape& in) const override {
        Index from(index.size());
        for (std::size_t i = 0; i < order.size(); ++i) from[order[i]] = index[i];
        return linear(from, in);
    }
    Tensors vjp(const Tensors&, const Tensor&, const Tensor& dy) const override {
        std::vector<int> inverse(order.size());
        for (std::size_t i = 0; i < order.size(); ++i) inverse[order[i]] = static_cast<int>(i);
        return {permute(dy, inverse)};
    }
};

// Input axes have the output's length or 1; ranks are equal.
struct BroadcastTo final : MovementOp {
    explicit BroadcastTo(Shape shape) : shape(std::move(shape)) {}
    const Shape shape;

    std::string_view name() const override { return "broadcast_to"; }
    Attrs attrs() const override { return {{"shape", shape}}; }
    Spec infer(const Specs& in) const override {
        bool fits = in[0].shape.size() == shape.size();
        for (std::size_t i = 0; fits && i < shape.size(); ++i) fits = in[0].shape[i] == shape[i] || in[0].shape[i] == 1;
        if (!fits) expect(*this, false, "expected a shape that {} can grow to, got {}", shown(in[0]), shown(shape));
        return {shape, in[0].dtype};
    }
    bool view(const View& in, View& out) const override {
        out = {in.offset, shape, in.strides};
        for (std::size_t i = 0; i < shape.size(); ++i)
            if (in.shape[i] != shape[i]) out.strides[i] = 0;
        return true;
    }
    std::int64_t source(const Index& index, const Shape& in) const override {
        Index from = index;
        for (std::size_t i = 0; i < from.size(); ++i)
            if (in[i] == 1) from[i] = 0;
        return linear(from, in);
    }
    Tensors vjp(const Tensors& in, const Tensor&, const Tensor& dy) const override { return {sum_to(dy, in[0].shape())}; }
};

// Elements start, start + step, ... (count of them) along one axis; a negative step walks backwards.
struct Slice final : MovementOp {
    Slice(int axis, std::int64_t start, std::int64_t count, std::int64_t step)
        : axis(axis), start(start), count(count), step(step) {}
    const int axis;
    const std::int64_t start, count, step;

    std::string_view name() const override { return "slice"; }
    Attrs attrs() const override {
        return {{"axis", std::int64_t{axis}}, {"start", start}, {"count", count}, {"step", step}};
    }
    Spec infer(const Specs& in) const override {
        const std::int64_t length = in[0].shape[axis], last = start + (count - 1) * step;
        expect(*this, count >= 0 && (count == 0 || (start >= 0 && start < length && last >= 0 && last < length)),
               "expected elements inside axis {} of {}, got {} to {}", axis, shown(in[0]), start, last);
        Spec out = in[0];
        out.shape[axis] = count;
        return out;
    }
    bool view(const View& in, View& out) const override {
        out = in;
        out.offset += count ? start * in.strides[axis] : 0;
        out.strides[axis] *= step;
        out.shape[axis] = count;
        return true;
    }
    std::int64_t source(const Index& index, const Shape& in) const override {
        Index from = index;
        from[axis] = start + index[axis] * step;
        return linear(from, in);
    }
    Tensors vjp(const Tensors& in, const Tensor&, const Tensor& dy) const override {
        if (count == 0) return {zeros_like(in[0])};
        if (step < 0) {
            const Tensor forward = slice_by(in[0], start + (count - 1) * step, -step);
            return {pad_back(flip(dy, axis), in[0].shape()[axis], start + (count - 1) * step, -step, forward.rank())};
        }
        return {pad_back(dy, in[0].shape()[axis], start, step, dy.rank())};
    }

private:
    Tensor slice_by(const Tensor& x, std::int64_t from, std::int64_t by) const {
        return apply_op<Slice>({x}, axis, from, count, by);
    }
    Tensor pad_back(const Tensor& dy, std::int64_t length, std::int64_t from, std::int64_t by, int rank) const {
        Shape before(rank, 0), after(rank, 0), interior(rank, 0);
        before[axis] = from;
        interior[axis] = by - 1;
        after[axis] = length - (from + (count - 1) * by + 1);
        return pad(dy, before, after, interior);
    }
};

struct Pad final : MovementOp {
    Pad(Shape before, Shape after, Shape interior)
        : before(std::move(before)), after(std::move(after)), interior(std::move(interior)) {}
    const Shape before, after, interior;

    std::string_view name() const override { return "pad"; }
    Attrs attrs() const override { return {{"before", before}, {"after", after}, {"interior", interior}}; }
    Spec infer(const Specs& in) const override {
        const std::size_t rank = in[0].shape.size();
        expect(*this, before.size() == rank && after.size() == rank && interior.size() == rank,
               "expected lists of rank {}, got {} and {}", rank, shown(before), shown(after));
        Spec out = in[0];
        for (std::size_t i = 0; i < rank; ++i) {
            expect(*this, before[i] >= 0 && after[i] >= 0 && interior[i] >= 0, "expected padding of at least 0, got {} and {}",
                   shown(before), shown(after));
            out.shape[i] = before[i] + after[i] + out.shape[i] + std::max<std::int64_t>(0, out.shape[i] - 1) * interior[i];
        }
        return out;
    }
    bool view(const View&, View&) const override { return false; }
    bool fills() const override { return true; }
    Padding padding() const override { return {before, interior}; }
    std::int64_t source(const Index& index, const Shape& in) const override {
        Index from(index.size());
        for (std::size_t i = 0; i < from.size(); ++i) {
            const std::int64_t at = index[i] - before[i];
            if (at < 0 || at % (interior[i] + 1) != 0) return -1;
            from[i] = at / (interior[i] + 1);
            if (from[i] >= in[i]) return -1;
        }
        return linear(from, in);
    }
    Tensors vjp(const Tensors& in, const Tensor&, const Tensor& dy) const override {
        Tensor result = dy;
        for (int i = 0; i < dy.rank(); ++i)
            result = apply_op<Slice>({result}, i, before[i], in[0].shape()[i], interior[i] + 1);
        return {result};
    }
};

int axis_of(std::string_view name, const Tensor& x, int axis, int rank) {
    const int at = axis < 0 ? axis + rank : axis;
    check(at >= 0 && at < rank, ErrorCode::InvalidGraph, "{}: expected an axis of {}, got {}", name, shown(x.spec()), axis);
    return at;
}

}  // namespace

Tensor reshape(const Tensor& x, Shape shape) {
    std::int64_t known = 1;
    auto open = shape.end();
    for (auto it = shape.begin(); it != shape.end(); ++it) {
        if (*it == -1) {
            check(open == shape.end(), ErrorCode::InvalidGraph, "reshape: expected at most one -1, got {}", shown(shape));
            open = it;
        } else {
            check(*it >= 0, ErrorCode::InvalidGraph, "reshape: expected lengths of at least 0, got {}", shown(shape));
            known *= *it;
        }
    }
    if (open != shape.end()) {
        check(known > 0 && x.element_count() % known == 0, ErrorCode::InvalidGraph, "reshape: expected {} elements, got {}",
              x.element_count(), shown(shape));
        *open = x.element_count() / known;
    }
    return shape == x.shape() ? x : apply_op<Reshape>({x}, std::move(shape));
}

Tensor permute(const Tensor& x, const std::vector<int>& order) {
    return order == row_major(x.rank()) ? x : apply_op<Permute>({x}, order);
}

Tensor transpose(const Tensor& x, int a, int b) {
    std::vector<int> order = row_major(x.rank());
    std::swap(order[axis_of("transpose", x, a, x.rank())], order[axis_of("transpose", x, b, x.rank())]);
    return permute(x, order);
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
    if (x.shape() == shape) return x;
    check(x.shape().size() <= shape.size(), ErrorCode::InvalidGraph, "broadcast_to: expected a rank of at least {}, got {}",
          x.rank(), shown(shape));
    if (x.shape().size() == shape.size()) return apply_op<BroadcastTo>(Tensors(1, x), shape);
    Shape same_rank = x.shape();
    same_rank.insert(same_rank.begin(), shape.size() - same_rank.size(), 1);
    const Tensor aligned = reshape(x, same_rank);
    return same_rank == shape ? aligned : apply_op<BroadcastTo>({aligned}, shape);
}

Tensor unsqueeze(const Tensor& x, const std::vector<int>& axes) {
    const int rank = x.rank() + static_cast<int>(axes.size());
    std::vector<int> sorted;
    for (const int axis : axes) sorted.push_back(axis_of("unsqueeze", x, axis, rank));
    std::sort(sorted.begin(), sorted.end());
    Shape shape = x.shape();
    for (const int axis : sorted) shape.insert(shape.begin() + axis, 1);
    return reshape(x, shape);
}

Tensor squeeze(const Tensor& x, const std::vector<int>& axes) {
    Shape shape = x.shape();
    for (const int axis : axes) {
        std::int64_t& length = shape[axis_of("squeeze", x, axis, x.rank())];
        check(length == 1, ErrorCode::InvalidGraph, "squeeze: expected length 1 at axis {}, got {}", axis, shown(x.spec()));
        length = -1;
    }
    std::erase(shape, -1);
    return reshape(x, shape);
}

Tensor slice(const Tensor& x, int axis, std::int64_t start, std::int64_t stop, std::int64_t step) {
    const int at = axis_of("slice", x, axis, x.rank());
    const std::int64_t length = x.shape()[at];
    check(step > 0, ErrorCode::InvalidGraph, "slice: expected a step above 0, got {}", step);
    const auto clip = [&](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + length : i, 0, length); };
    start = clip(start);
    stop = clip(stop);
    const std::int64_t count = stop > start ? (stop - start + step - 1) / step : 0;
    return count == length ? x : apply_op<Slice>({x}, at, start, count, step);
}

Tensor flip(const Tensor& x, int axis) {
    const int at = axis_of("flip", x, axis, x.rank());
    const std::int64_t length = x.shape()[at];
    return length < 2 ? x : apply_op<Slice>({x}, at, length - 1, length, std::int64_t{-1});
}

Tensor pad(const Tensor& x, const Shape& before, const Shape& after, const Shape& interior) {
    const Shape inside = interior.empty() ? Shape(x.rank(), 0) : interior;
    const auto is_zero = [](const Shape& list) { return std::all_of(list.begin(), list.end(), [](auto i) { return i == 0; }); };
    return is_zero(before) && is_zero(after) && is_zero(inside) ? x : apply_op<Pad>({x}, before, after, inside);
}

Tensor pad(const Tensor& x, const Shape& before, const Shape& after, PadMode mode) {
    if (mode == PadMode::Zero) return pad(x, before, after);
    check(before.size() == x.shape().size() && after.size() == x.shape().size(), ErrorCode::InvalidGraph,
          "pad: expected lists of rank {}, got {} and {}", x.rank(), shown(before), shown(after));
    const auto side = [&](const Tensor& t, int axis, std::int64_t count, bool first) {
        const std::int64_t length = t.size(axis);
        if (mode == PadMode::Replicate) {
            check(length > 0, ErrorCode::InvalidGraph, "pad: expected a border to repeat, got {}", shown(x.spec()));
            Shape shape = t.shape();
            shape[axis] = count;
            return broadcast_to(first ? slice(t, axis, 0, 1) : slice(t, axis, length - 1, length), shape);
        }
        check(count < length, ErrorCode::InvalidGraph, "pad: expected reflection by less than {}, got {}", length, count);
        return flip(first ? slice(t, axis, 1, 1 + count) : slice(t, axis, length - 1 - count, length - 1), axis);
    };
    Tensor result = x;
    for (int axis = x.rank() - 1; axis >= 0; --axis) {
        check(before[axis] >= 0 && after[axis] >= 0, ErrorCode::InvalidGraph, "pad: expected padding of at least 0, got {} and {}",
              shown(before), shown(after));
        Tensors parts;
        if (before[axis]) parts.push_back(side(result, axis, before[axis], true));
        parts.push_back(result);
        if (after[axis]) parts.push_back(side(result, axis, after[axis], false));
        if (parts.size() > 1) result = concat(parts, axis);
    }
    return result;
}

Tensor pad2d(const Tensor& x, int left, int right, int top, int bottom, PadMode mode) {
    const int rank = x.rank();
    Shape before(rank, 0), after(rank, 0);
    before[rank - 1] = left, after[rank - 1] = right, before[rank - 2] = top, after[rank - 2] = bottom;
    return pad(x, before, after, mode);
}

}  // namespace gpu
