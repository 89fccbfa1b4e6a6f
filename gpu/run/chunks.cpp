#include "gpu/run/chunks.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>

#include "gpu/graph/graph_lock.h"
#include "gpu/graph/op.h"
#include "gpu/ops.h"
#include "gpu/plan/program.h"

namespace gpu {
namespace {

constexpr std::int64_t most_chunks = 32;

std::uint64_t bytes_of(const Tensor& x) { return static_cast<std::uint64_t>(x.element_count()) * size_of(x.dtype()); }

std::int64_t before(const Shape& shape, int axis) { return element_count(Shape(shape.begin(), shape.begin() + axis)); }

std::int64_t number(const Op& op, const char* name) {
    for (const Attr& attr : op.attrs())
        if (attr.name == name) return std::get<std::int64_t>(attr.value);
    return 0;
}

// A range of one axis.
struct Range {
    int axis = 0;
    std::int64_t from = 0, to = 0;
    auto operator<=>(const Range&) const = default;
};

// Parts of tensors, computed from parts of what they are computed from.
class Parts {
public:
    explicit Parts(std::uint64_t large) : large_(large) {}

    // Empty where it needs a large value whole.
    std::optional<Tensor> of(const Tensor& x, const Range& range) {
        const auto key = std::tuple(x.id(), range);
        if (const auto known = known_.find(key); known != known_.end()) return known->second;
        return known_[key] = find(x, range);
    }
    // Of the values that are no longer whole.
    std::uint64_t largest() const { return largest_; }

    // What an op like `x`'s, a product among them, makes of parts of its inputs.
    std::optional<Tensor> computed(const Tensor& x, const Range& range) {
        const Op& op = *x.op();
        Tensors in = x.inputs();
        const auto take = [&](std::size_t input, int axis) {
            if (in[input].size(axis) == 1 && x.size(range.axis) != 1) return true;   // the same for all
            const std::optional<Tensor> part = of(in[input], {axis, range.from, range.to});
            if (part) in[input] = *part;
            return part.has_value();
        };
        bool whole = false;   // it would need more than parts
        if (op.kind() == OpKind::Elementwise) {
            for (std::size_t i = 0; i < in.size(); ++i) whole |= !take(i, range.axis);
        } else if (op.kind() == OpKind::Reduce) {
            const std::vector<int>& axes = static_cast<const ReduceOp&>(op).axes();
            whole = std::find(axes.begin(), axes.end(), range.axis) != axes.end() || !take(0, range.axis);
        } else if (op.name() == "matmul" && range.axis < 2) {
            whole = !take(0, range.axis) || (range.axis == 0 && !take(1, 0));
        } else if ((op.name() == "convolution" || op.name() == "group_norm") && range.axis == 0) {
            whole = !take(0, 0);
        } else if (op.name() == "attention" && range.axis == 0) {
            for (std::size_t i = 0; i < in.size(); ++i) whole |= !take(i, 0);
        } else if (op.name() == "attention" && range.axis == 2 && number(op, "before") < 0 && number(op, "after") < 0) {
            whole = !take(0, 2) || (in.size() > 3 && !take(3, 2));
        } else {
            whole = true;
        }
        if (whole) return {};
        return apply_op(x.node()->op, in);
    }

private:
    std::optional<Tensor> find(const Tensor& x, const Range& range) {
        if (range.from == 0 && range.to == x.size(range.axis)) return x;
        const bool small = bytes_of(x) <= large_;
        if (x.value() || !x.op() || small) return slice(x, range.axis, range.from, range.to);
        std::optional<Tensor> result = x.op()->kind() == OpKind::Movement ? moved(x, range) : computed(x, range);
        if (!result && x.op()->kind() == OpKind::Source) result = slice(x, range.axis, range.from, range.to);   // has no buffer
        if (result) largest_ = std::max(largest_, bytes_of(x));
        return result;
    }

    std::optional<Tensor> moved(const Tensor& x, const Range& range) {
        const Op& op = *x.op();
        const Tensor& in = x.inputs()[0];
        Shape shape = x.shape();
        shape[range.axis] = range.to - range.from;
        if (op.name() == "broadcast_to") {
            if (in.size(range.axis) == 1) return broadcast_to(in, shape);
            if (const auto part = of(in, range)) return broadcast_to(*part, shape);
        } else if (op.name() == "slice" && number(op, "axis") != range.axis) {
            if (const auto part = of(in, range)) return apply_op(x.node()->op, {*part});
        } else if (op.name() == "permute") {
            const Attrs attrs = op.attrs();
            const auto axis = static_cast<int>(std::get<AttrList>(attrs[0].value)[range.axis]);
            if (const auto part = of(in, {axis, range.from, range.to})) return apply_op(x.node()->op, {*part});
        } else if (op.name() == "reshape") {
            if (const auto there = through_reshape(x, range))
                if (const auto part = of(in, *there)) return reshape(*part, shape);
        }
        return {};
    }

    // The range of the reshape's input that holds the same elements.
    static std::optional<Range> through_reshape(const Tensor& x, const Range& range) {
        const Shape& in = x.inputs()[0].shape();
        const std::int64_t length = x.size(range.axis), outer = before(x.shape(), range.axis);
        for (int axis = 0; axis < static_cast<int>(in.size()); ++axis) {
            if (before(in, axis) != outer || (in[axis] == 1 && length != 1)) continue;
            if (in[axis] == length) return Range{axis, range.from, range.to};
            if (outer != 1) continue;   // outermost axes may be split or merged
            if (in[axis] % length == 0) {
                const std::int64_t rows = in[axis] / length;
                return Range{axis, range.from * rows, range.to * rows};
            }
            const std::int64_t rows = length / in[axis];
            if (length % in[axis] == 0 && range.from % rows == 0 && range.to % rows == 0) return Range{axis, range.from / rows, range.to / rows};
        }
        return {};
    }

    const std::uint64_t large_;
    std::uint64_t largest_ = 0;
    std::map<std::tuple<std::uint64_t, Range>, std::optional<Tensor>> known_;
};

// Bytes of the largest value that `x` needs, through values that have no smaller one between.
std::uint64_t largest_before(const Tensor& x, std::uint64_t large) {
    std::uint64_t most = 0;
    Tensors open = x.inputs();
    std::unordered_map<std::uint64_t, bool> seen;
    while (!open.empty()) {
        const Tensor next = open.back();
        open.pop_back();
        if (next.value() || !next.op() || bytes_of(next) <= large || !seen.emplace(next.id(), true).second) continue;
        most = std::max(most, bytes_of(next));
        for (const Tensor& input : next.inputs()) open.push_back(input);
    }
    return most;
}

struct Attempt {
    Tensor result;
    std::uint64_t largest = 0;
    std::int64_t chunks = 1;
};

// `x` by chunks along one of its axes; empty where a large value is needed whole.
std::optional<Attempt> chunked(const Tensor& x, std::uint64_t large) {
    const std::string_view name = x.op()->name();
    const bool product = name == "matmul" || name == "convolution" || name == "attention";
    if (!product || bytes_of(x) == 0) return {};
    const std::uint64_t most = largest_before(x, large);
    if (most == 0) return {};
    const auto wanted = static_cast<std::int64_t>(std::min<std::uint64_t>((most + large - 1) / large, most_chunks));
    for (const int axis : {name == "matmul" ? 1 : name == "attention" ? 2 : 0, 0}) {
        // As many as wanted, or more where only that cuts the axis into equal parts; fewer are better than none.
        const std::int64_t length = x.size(axis);
        std::vector<std::int64_t> counts;
        for (std::int64_t n = wanted; n <= std::min(length, 2 * most_chunks); ++n)
            if (length % n == 0) counts.push_back(n);
        for (std::int64_t n = std::min(wanted, length); n > 1; --n)
            if (length % n == 0) counts.push_back(n);
        for (const std::int64_t n : counts) {
            Parts parts(large);
            Tensors pieces;
            for (std::int64_t i = 0; i < n; ++i) {
                const std::optional<Tensor> piece = parts.computed(x, {axis, length * i / n, length * (i + 1) / n});
                if (!piece) break;
                pieces.push_back(*piece);
            }
            if (static_cast<std::int64_t>(pieces.size()) == n && parts.largest() > 0) return Attempt{concat(pieces, axis), parts.largest(), n};
        }
    }
    return {};
}

}  // namespace

Chunked in_chunks(const Tensors& outputs, std::uint64_t large) {
    Chunked result;
    std::unordered_map<std::uint64_t, Tensor> now;   // id -> what takes its place
    const GraphLock walk;
    for (const Tensor* const node : collect(outputs).nodes) {
        const Tensor& x = *node;
        Tensor other = x;
        if (!x.value() && x.op() && !x.inputs().empty()) {
            Tensors in;
            bool changed = false;
            for (const Tensor& input : x.inputs()) {
                in.push_back(now.at(input.id()));
                changed |= !in.back().same_as(input);
            }
            if (changed) other = apply_op(x.node()->op, in);
            if (const auto attempt = chunked(other, std::max<std::uint64_t>(large, 1))) {
                other = attempt->result;
                result.largest = std::max(result.largest, attempt->largest);
                result.chunks = std::max(result.chunks, attempt->chunks);
            }
        }
        now.emplace(x.id(), other);
    }
    for (const Tensor& output : outputs) result.outputs.push_back(now.at(output.id()));
    return result;
}

}  // namespace gpu
