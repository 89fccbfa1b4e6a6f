// Reductions over axes that stay with length 1, and what is composed of them.
#include <algorithm>
#include <limits>
#include <numeric>

#include "gpu/base/error.h"
#include "gpu/graph/autocast.h"
#include "gpu/graph/op.h"
#include "gpu/graph/shown.h"
#include "gpu/graph/vector_math.h"
#include "gpu/ops.h"

namespace gpu {
namespace {

struct Row {
    const char* name;
    double identity;
    const char* glsl_identity;
    const char* glsl;   // combines $0 and $1
    double (*combine)(double, double);
    const char* vector;   // the primitive that combines two
};

// uintBitsToFloat of -infinity: GLSL has no literal for it.
const Row sum_row{"sum", 0, "0.0", "$0 + $1", [](double a, double b) { return a + b; }, "add"};
const Row max_row{"reduce_max", -std::numeric_limits<double>::infinity(), "uintBitsToFloat(0xff800000u)", "max($0, $1)",
                  [](double a, double b) { return std::max(a, b); }, "max"};

struct Reduce final : ReduceOp {
    Reduce(const Row& row, std::vector<int> axes) : row(row), over_(std::move(axes)) {}
    const Row& row;

    std::string_view name() const override { return row.name; }
    Attrs attrs() const override { return {{"axes", std::vector<std::int64_t>(over_.begin(), over_.end())}}; }
    Spec infer(const Specs& in) const override {
        Spec out = in[0];
        const bool fits = is_float(out.dtype) || (&row == &sum_row && out.dtype == Dtype::I32);
        expect(*this, fits, "expected floating numbers{}, got {} (cast it first)", &row == &sum_row ? " or I32" : "", shown(in[0]));
        for (const int axis : over_) {
            expect(*this, &row != &max_row || out.shape[axis] > 0, "expected elements to reduce, got {}", shown(in[0]));
            out.shape[axis] = 1;
        }
        return out;
    }
    const std::vector<int>& axes() const override { return over_; }
    std::string glsl_identity() const override { return row.glsl_identity; }
    std::string glsl_combine(const std::string& a, const std::string& b) const override {
        std::string text = row.glsl;
        text.replace(text.find("$0"), 2, a);
        return text.replace(text.find("$1"), 2, b);
    }
    double identity() const override { return row.identity; }
    double combine(double a, double b) const override { return row.combine(a, b); }
    Tensor over(const Tensor& x, const std::vector<int>& axes) const override { return apply_op<Reduce>({x}, row, axes); }
    float (*fold() const)(float, const float*, std::size_t) override { return vector_fold(row.name); }
    VectorFunction vector() const override { return vector_function(row.vector); }

    Tensors vjp(const Tensors& in, const Tensor& out, const Tensor& dy) const override {
        if (&row == &sum_row) return {broadcast_to(dy, in[0].shape())};
        // Equal maxima share the cotangent.
        const Tensor hit = cast(equal(in[0], out), in[0].dtype());
        return {hit * (dy / sum(hit, over_))};
    }

private:
    const std::vector<int> over_;
};

std::vector<int> normalise(const Tensor& x, std::vector<int> axes) {
    if (axes.empty()) {
        axes.resize(x.rank());
        std::iota(axes.begin(), axes.end(), 0);
    }
    for (int& axis : axes) {
        const int given = axis;
        if (axis < 0) axis += x.rank();
        check(axis >= 0 && axis < x.rank(), ErrorCode::InvalidGraph, "reduction: expected an axis of {}, got {}",
              shown(x.spec()), given);
    }
    std::sort(axes.begin(), axes.end());
    axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
    return axes;
}

Tensor reduce(const Row& row, const Tensor& x, const std::vector<int>& axes, bool keep) {
    std::vector<int> over = normalise(x, axes);
    const bool nothing = std::all_of(over.begin(), over.end(), [&](int axis) { return x.shape()[axis] == 1; });
    const Tensor result = nothing ? x : apply_op<Reduce>({x}, row, over);
    return keep ? result : squeeze(result, over);
}

}  // namespace

Tensor sum(const Tensor& x, std::vector<int> axes, bool keep) { return reduce(sum_row, sum_input(x), axes, keep); }
Tensor max(const Tensor& x, std::vector<int> axes, bool keep) { return reduce(max_row, x, axes, keep); }
Tensor min(const Tensor& x, std::vector<int> axes, bool keep) { return -max(-x, axes, keep); }

Tensor mean(const Tensor& x, std::vector<int> axes, bool keep) {
    const Tensor total = sum(x, axes, keep);
    return total * (static_cast<double>(total.element_count()) / static_cast<double>(x.element_count()));
}

Tensor softmax(const Tensor& x, int axis) {
    const Tensor e = exp(x - max(x, {axis}));
    return e * (1.0 / sum(e, {axis}));   // one division a row
}

Tensor log_softmax(const Tensor& x, int axis) {
    const Tensor centred = x - max(x, {axis});
    return centred - log(sum(exp(centred), {axis}));
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
    const int extra = x.rank() - static_cast<int>(shape.size());
    std::vector<int> axes;
    for (int i = 0; i < x.rank(); ++i)
        if (i < extra || (shape[i - extra] == 1 && x.shape()[i] != 1)) axes.push_back(i);
    return axes.empty() ? x : reshape(sum(x, axes), shape);
}

}  // namespace gpu
