// Joins tensors along one axis: each part is copied into its place of the result.
#include "gpu/base/error.h"
#include "gpu/graph/kernel.h"
#include "gpu/graph/op.h"
#include "gpu/graph/shown.h"
#include "gpu/ops.h"

namespace gpu {
namespace {

struct Concat final : Op {
    explicit Concat(int axis) : axis(axis) {}
    const int axis;

    std::string_view name() const override { return "concat"; }
    Attrs attrs() const override { return {{"axis", std::int64_t{axis}}}; }
    Spec infer(const Specs& in) const override {
        Spec out = in[0];
        for (std::size_t i = 1; i < in.size(); ++i) {
            Shape other = in[i].shape;
            expect(*this, other.size() == out.shape.size() && in[i].dtype == out.dtype, "expected parts like {}, got {}",
                   shown(in[0]), shown(in[i]));
            out.shape[axis] += other[axis];
            other[axis] = in[0].shape[axis];
            expect(*this, other == in[0].shape, "expected parts like {} but for axis {}, got {}", shown(in[0]), axis,
                   shown(in[i]));
        }
        return out;
    }
    // Sum of the parts, each padded to its place.
    Tensor composite(const Tensors& in) const override {
        const std::int64_t total = [&] {
            std::int64_t sum = 0;
            for (const Tensor& part : in) sum += part.shape()[axis];
            return sum;
        }();
        std::int64_t at = 0;
        Tensor result;
        for (const Tensor& part : in) {
            Shape before(part.rank(), 0), after(part.rank(), 0);
            before[axis] = at;
            at += part.shape()[axis];
            after[axis] = total - at;
            const Tensor placed = pad(part, before, after);
            result = result ? result + placed : placed;
        }
        return result;
    }
    void lower(KernelBuilder& k) const override {
        std::int64_t at = 0;
        for (int i = 0; i < k.input_count(); ++i) {
            k.part(i, axis, at);
            at += k.in_spec(i).shape[axis];
        }
    }
    Tensors vjp(const Tensors& in, const Tensor&, const Tensor& dy) const override {
        Tensors parts;
        std::int64_t at = 0;
        for (const Tensor& part : in) {
            parts.push_back(slice(dy, axis, at, at + part.shape()[axis]));
            at += part.shape()[axis];
        }
        return parts;
    }
};

}  // namespace

REGISTER_OP(concat, Concat)

Tensor concat(const Tensors& parts, int axis) {
    check(!parts.empty(), ErrorCode::InvalidGraph, "concat: expected at least one part, got none");
    const int at = axis < 0 ? axis + parts[0].rank() : axis;
    check(at >= 0 && at < parts[0].rank(), ErrorCode::InvalidGraph, "concat: expected an axis of {}, got {}",
          shown(parts[0].spec()), axis);
    if (parts.size() == 1) return parts[0];
    Tensors alike;
    for (const Tensor& part : parts) alike.push_back(cast(part, result_type(parts)));
    return apply_op<Concat>(alike, at);
}

}  // namespace gpu
