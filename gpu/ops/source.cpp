// Tensors that come from no input: constants, whose number travels as a push constant, and index ranges.
#include "gpu/graph/op.h"
#include "gpu/ops.h"

namespace gpu {
namespace {

struct Full final : SourceOp {
    Full(Spec spec, double value) : spec(std::move(spec)), value(value) {}
    const Spec spec;
    const double value;

    std::string_view name() const override { return "full"; }
    Attrs attrs() const override {
        return {{"shape", spec.shape}, {"dtype", std::string(name_of(spec.dtype))}, {"value", value, false}};
    }
    Spec infer(const Specs&) const override { return spec; }
    std::string glsl() const override { return "c"; }
    double eval(std::int64_t) const override { return value; }
    double scalar() const override { return value; }
    Tensors vjp(const Tensors&, const Tensor&, const Tensor&) const override { return {}; }
};

struct Arange final : SourceOp {
    explicit Arange(Spec spec) : spec(std::move(spec)) {}
    const Spec spec;

    std::string_view name() const override { return "arange"; }
    Attrs attrs() const override { return {{"shape", spec.shape}, {"dtype", std::string(name_of(spec.dtype))}}; }
    Spec infer(const Specs&) const override { return spec; }
    std::string glsl() const override { return "i"; }
    double eval(std::int64_t index) const override { return static_cast<double>(index); }
    Tensors vjp(const Tensors&, const Tensor&, const Tensor&) const override { return {}; }
};

}  // namespace

Tensor full(const Shape& shape, double value, Dtype dtype) { return apply_op<Full>(Tensors(), Spec{shape, dtype}, value); }
Tensor zeros(const Shape& shape, Dtype dtype) { return full(shape, 0, dtype); }
Tensor ones(const Shape& shape, Dtype dtype) { return full(shape, 1, dtype); }
Tensor full_like(const Tensor& x, double value) { return full(x.shape(), value, x.dtype()); }
Tensor zeros_like(const Tensor& x) { return full_like(x, 0); }
Tensor ones_like(const Tensor& x) { return full_like(x, 1); }
Tensor arange(std::int64_t count, Dtype dtype) { return apply_op<Arange>({}, Spec{{count}, dtype}); }

}  // namespace gpu
