#include "gpu/train/number.h"

#include "gpu/graph/op.h"

namespace gpu::train {
namespace {

struct Number final : SourceOp {
    Number(std::string role, double value, int rank) : role(std::move(role)), value(value), rank(rank) {}
    const std::string role;
    const double value;
    const int rank;

    std::string_view name() const override { return "number"; }
    Attrs attrs() const override { return {{"role", role}, {"rank", std::int64_t{rank}}, {"value", value, false}}; }
    Spec infer(const Specs&) const override { return {Shape(static_cast<std::size_t>(rank), 1), Dtype::F32}; }
    std::string glsl() const override { return "c"; }
    double eval(std::int64_t) const override { return value; }
    double scalar() const override { return value; }
    Tensors vjp(const Tensors&, const Tensor&, const Tensor&) const override { return {}; }
};

}  // namespace

Tensor number(const std::string& role, double value, int rank) { return apply_op<Number>({}, role, value, rank); }

}  // namespace gpu::train
