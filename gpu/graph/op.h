// What an op is. Two kinds only: primitives (rows of tables in ops/primitives.cpp, ops/movement.cpp, ops/reduce.cpp) and
// kernel ops (one file each: infer, lower, composite, optional vjp). Everything else is a function that composes them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/base/error.h"
#include "gpu/graph/attrs.h"
#include "gpu/graph/tensor.h"

namespace gpu {

class KernelBuilder;
struct DeviceTraits;

enum class OpKind {
    Elementwise,   // all inputs and the output have one shape; fused freely
    Source,        // no inputs, computed from the index: constants, ranges
    Reduce,        // one input, some axes become 1; fused with what precedes and follows
    Movement,      // one input, other view of the same elements; costs nothing where strides can express it
    Kernel,        // has a shader or host kernel of its own
};

// Hashes of an op's name and attributes: of those that a plan depends on, and of all.
struct OpKeys {
    Hash structure, whole;
};

class Op {
public:
    virtual ~Op() = default;

    virtual std::string_view name() const = 0;
    virtual Attrs attrs() const { return {}; }
    virtual OpKind kind() const { return OpKind::Kernel; }
    // Of an op that many nodes share, which keeps them; null: they are made anew with each node.
    virtual const OpKeys* keys() const { return nullptr; }

    // Output shape and dtype. Throws Error{InvalidGraph} when the inputs do not fit.
    virtual Spec infer(const Specs& in) const = 0;

    // Kernel ops: the same value in public ops. Test oracle, fallback where a device lacks something, and default vjp.
    virtual Tensor composite(const Tensors& in) const;
    // Kernel ops whose composite is no plain definition: the value in double precision, row-major, for the oracle. `in` holds
    // the inputs' elements, row-major; `specs` their shapes.
    virtual std::optional<std::vector<double>> reference(const std::vector<std::span<const double>>& in, const Specs& specs) const;
    // Kernel ops: describes the dispatch. See graph/kernel.h.
    virtual void lower(KernelBuilder& kernel) const;
    // Kernel ops: the kernels that can compute this on a device with these traits, the one for want of measurements first;
    // empty where there is only one. lower() finds the chosen name in KernelBuilder::variant().
    virtual std::vector<std::string> variants(const Specs& in, const DeviceTraits& traits) const;
    // A variant that takes more than one kernel: the same value in other ops. An empty Tensor: lower() writes the variant.
    virtual Tensor variant_graph(const Tensors& in, const std::string& variant) const;

    // Cotangents of the inputs, one each; an empty Tensor where there is none. Written in public ops.
    // `out` is this op's value, `dy` the cotangent of it. The default differentiates `composite`.
    virtual Tensors vjp(const Tensors& in, const Tensor& out, const Tensor& dy) const;

    // "conv2d{stride=[2, 2]}"
    std::string text() const;
};

OpKeys make_keys(const Op& op);

// A shape or dtype complaint about `op`: "conv2d: expected ..., got ...".
template <typename... Args>
void expect(const Op& op, bool condition, std::string_view text, const Args&... args) {
    if (!condition) throw Error(ErrorCode::InvalidGraph, std::string(op.name()) + ": " + format(text, args...));
}

// out[i] from in[0][i], in[1][i], ... of `count` floats (a Bool is 0 or 1). `out` may be one of the inputs.
using VectorFunction = void (*)(const float* const* in, float* out, std::size_t count);

// Elementwise primitives carry what code generation, the host's interpreter of fused regions and the oracle need.
class ElementwiseOp : public Op {
public:
    OpKind kind() const override { return OpKind::Elementwise; }
    // A GLSL expression of the operands' names, in the compute type of `out` (float, int or uint).
    virtual std::string glsl(const std::vector<std::string>& operands, const Specs& in, Dtype out) const = 0;
    virtual double eval(const double* operands) const = 0;
    // Null where there is none: regions with this op then run in shaders only.
    virtual VectorFunction vector() const { return nullptr; }
    // The name under which host kernels can do this as they write their result: add, mul, relu, tanh, sigmoid; else empty.
    virtual std::string_view post_op() const { return {}; }
};

// No inputs; the value is a function of the element's index and, for constants, a scalar.
class SourceOp : public Op {
public:
    OpKind kind() const override { return OpKind::Source; }
    // GLSL in terms of `i` (uint, the linear row-major index) and `c` (the scalar's push constant).
    virtual std::string glsl() const = 0;
    virtual double eval(std::int64_t index) const = 0;
    virtual double scalar() const { return 0; }
};

class ReduceOp : public Op {
public:
    OpKind kind() const override { return OpKind::Reduce; }
    virtual const std::vector<int>& axes() const = 0;   // ascending, kept as length 1 in the output
    virtual std::string glsl_identity() const = 0;      // "0.0"
    virtual std::string glsl_combine(const std::string& a, const std::string& b) const = 0;
    virtual double identity() const = 0;
    virtual double combine(double a, double b) const = 0;
    // The same reduction of `x` over other axes.
    virtual Tensor over(const Tensor& x, const std::vector<int>& axes) const = 0;
    // For the host: `total` combined with `count` floats in a fixed order, and combine() over arrays; null: shaders only.
    virtual float (*fold() const)(float total, const float* x, std::size_t count) { return nullptr; }
    virtual VectorFunction vector() const { return nullptr; }
};

// Where an element of the output lies in the input, for every movement op.
struct View {
    std::int64_t offset = 0;   // elements
    Shape shape;               // logical
    Shape strides;             // elements, per logical dimension; 0 for broadcast

    bool is_dense(const Order& order) const;
};

class MovementOp : public Op {
public:
    OpKind kind() const override { return OpKind::Movement; }
    // The view of the output, given one of the input; false where strides cannot express it (a copy is made).
    virtual bool view(const View& in, View& out) const = 0;
    // Row-major index into the input of output element `index`, or -1 for an element that is zero (padding).
    virtual std::int64_t source(const std::vector<std::int64_t>& index, const Shape& in) const = 0;
    // True when some output elements are zeros that come from no input: a kernel of its own then copies the input to
    // `before`, with `interior` zeros between its elements (per axis).
    virtual bool fills() const { return false; }
    // True for ops that only say how cotangents pass: their value is their first input, which is read in their place.
    virtual bool is_identity() const { return false; }
    struct Padding {
        Shape before, interior;
    };
    virtual Padding padding() const { return {}; }
};

// As apply_op of graph/tensor.h, for inputs that are not needed any more.
Tensor apply_op(std::shared_ptr<const Op> op, Tensors&& inputs);

template <typename T, typename... Args>
Tensor apply_op(Tensors&& inputs, Args&&... args) {
    return apply_op(std::make_shared<const T>(std::forward<Args>(args)...), std::move(inputs));
}

// The elementwise op that returns its input: what the planner inserts where a tensor must lie differently.
std::shared_ptr<const Op> copy_op();

}  // namespace gpu

// REGISTER_OP(file_stem, Class) names a kernel op so that docs, benches and `heddle describe` can list it.
#define REGISTER_OP(stem, Class)                       \
    void register_##stem();                            \
    void register_##stem() { add_op_name(#stem); }

namespace gpu {
void add_op_name(std::string name);
const std::vector<std::string>& op_names();
void register_all();   // generated
}  // namespace gpu
