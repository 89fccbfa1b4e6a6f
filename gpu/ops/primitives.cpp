// The table of elementwise primitives: name, GLSL expression, expression in double, vjp. One more primitive is one more
// row; its shader, fusion, gradient, oracle and test cases all follow.
#include <algorithm>
#include <cmath>

#include "gpu/base/error.h"
#include "gpu/graph/op.h"
#include "gpu/graph/shown.h"
#include "gpu/graph/vector_math.h"
#include "gpu/ops.h"

namespace gpu {
namespace {

// The types that a row computes with. U8 and Bool are for storing and choosing: their sums would wrap in buffers but not in fused
// kernels, so arithmetic on them is refused.
enum Domain { Any, Numbers /* floating or I32 */, Floats };

struct Row {
    const char* name;
    int arity;
    Domain domain;
    const char* glsl;   // operands are $0, $1, $2
    double (*eval)(const double*);
    Tensors (*vjp)(const Tensors& in, const Tensor& out, const Tensor& dy);
    bool predicate = false;         // the result is Bool
    const char* post_op = nullptr;  // see ElementwiseOp::post_op
};

Tensors no_gradient(const Tensors& in, const Tensor&, const Tensor&) { return Tensors(in.size()); }

#define EVAL [](const double* x [[maybe_unused]])
#define VJP []([[maybe_unused]] const Tensors& in, [[maybe_unused]] const Tensor& out, const Tensor& dy)

constexpr Row rows[] = {
    {"add", 2, Numbers, "$0 + $1", EVAL { return x[0] + x[1]; }, VJP { return Tensors{dy, dy}; }, false, "add"},
    {"sub", 2, Numbers, "$0 - $1", EVAL { return x[0] - x[1]; }, VJP { return Tensors{dy, -dy}; }},
    {"mul", 2, Numbers, "$0 * $1", EVAL { return x[0] * x[1]; }, VJP { return Tensors{dy * in[1], dy * in[0]}; }, false, "mul"},
    {"div", 2, Numbers, "$0 / $1", EVAL { return x[0] / x[1]; }, VJP { return Tensors{dy / in[1], -(dy * out / in[1])}; }},
    {"max", 2, Any, "max($0, $1)", EVAL { return std::max(x[0], x[1]); },
     VJP { const Tensor first = less_equal(in[1], in[0]);
           return Tensors{where(first, dy, zeros_like(dy)), where(first, zeros_like(dy), dy)}; }},
    {"min", 2, Any, "min($0, $1)", EVAL { return std::min(x[0], x[1]); },
     VJP { const Tensor first = less_equal(in[0], in[1]);
           return Tensors{where(first, dy, zeros_like(dy)), where(first, zeros_like(dy), dy)}; }},
    {"pow", 2, Floats, "pow($0, $1)", EVAL { return std::pow(x[0], x[1]); },
     VJP { return Tensors{dy * in[1] * pow(in[0], in[1] - 1.0), dy * out * log(in[0])}; }},
    {"copy", 1, Any, "$0", EVAL { return x[0]; }, VJP { return Tensors{dy}; }},
    {"neg", 1, Numbers, "-$0", EVAL { return -x[0]; }, VJP { return Tensors{-dy}; }},
    {"abs", 1, Numbers, "abs($0)", EVAL { return std::abs(x[0]); }, VJP { return Tensors{dy * sign(in[0])}; }},
    {"sign", 1, Numbers, "sign($0)", EVAL { return x[0] > 0 ? 1.0 : x[0] < 0 ? -1.0 : 0.0; }, no_gradient},
    {"floor", 1, Floats, "floor($0)", EVAL { return std::floor(x[0]); }, no_gradient},
    {"ceil", 1, Floats, "ceil($0)", EVAL { return std::ceil(x[0]); }, no_gradient},
    {"round", 1, Floats, "roundEven($0)", EVAL { return std::nearbyint(x[0]); }, no_gradient},
    {"sqrt", 1, Floats, "sqrt($0)", EVAL { return std::sqrt(x[0]); }, VJP { return Tensors{dy * 0.5 / out}; }},
    {"rsqrt", 1, Floats, "inversesqrt($0)", EVAL { return 1 / std::sqrt(x[0]); },
     VJP { return Tensors{dy * -0.5 * out * out * out}; }},
    {"exp", 1, Floats, "exp($0)", EVAL { return std::exp(x[0]); }, VJP { return Tensors{dy * out}; }},
    {"log", 1, Floats, "log($0)", EVAL { return std::log(x[0]); }, VJP { return Tensors{dy / in[0]}; }},
    {"sin", 1, Floats, "sin($0)", EVAL { return std::sin(x[0]); }, VJP { return Tensors{dy * cos(in[0])}; }},
    {"cos", 1, Floats, "cos($0)", EVAL { return std::cos(x[0]); }, VJP { return Tensors{-(dy * sin(in[0]))}; }},
    {"tanh", 1, Floats, "tanh_($0)", EVAL { return std::tanh(x[0]); },
     VJP { return Tensors{dy * (1.0 - out * out)}; }, false, "tanh"},
    {"sigmoid", 1, Floats, "1.0 / (1.0 + exp(-$0))", EVAL { return 1 / (1 + std::exp(-x[0])); },
     VJP { return Tensors{dy * out * (1.0 - out)}; }, false, "sigmoid"},
    {"relu", 1, Floats, "max($0, 0.0)", EVAL { return std::max(x[0], 0.0); },
     VJP { return Tensors{where(less(zeros_like(out), out), dy, zeros_like(dy))}; }, false, "relu"},
    {"erf", 1, Floats, "erf_($0)", EVAL { return std::erf(x[0]); },
     VJP { return Tensors{dy * 1.1283791670955126 * exp(-square(in[0]))}; }},
    {"less", 2, Any, "$0 < $1", EVAL { return x[0] < x[1] ? 1.0 : 0.0; }, no_gradient, true},
    {"less_equal", 2, Any, "$0 <= $1", EVAL { return x[0] <= x[1] ? 1.0 : 0.0; }, no_gradient, true},
    {"equal", 2, Any, "$0 == $1", EVAL { return x[0] == x[1] ? 1.0 : 0.0; }, no_gradient, true},
    {"where", 3, Any, "$0 != 0u ? $1 : $2", EVAL { return x[0] != 0 ? x[1] : x[2]; },
     VJP { return Tensors{{}, where(in[0], dy, zeros_like(dy)), where(in[0], zeros_like(dy), dy)}; }},
};

#undef EVAL
#undef VJP

std::string substitute(std::string_view text, const std::vector<std::string>& operands) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '$') {
            result += operands[text[++i] - '0'];
        } else {
            result += text[i];
        }
    }
    return result;
}

struct Primitive final : ElementwiseOp {
    explicit Primitive(const Row& row) : row(row), kept(make_keys(*this)) {}
    const Row& row;
    const OpKeys kept;

    std::string_view name() const override { return row.name; }
    const OpKeys* keys() const override { return &kept; }

    Spec infer(const Specs& in) const override {
        expect(*this, static_cast<int>(in.size()) == row.arity, "expected {} inputs, got {}", row.arity, in.size());
        const bool chooses = row.arity == 3;
        if (chooses) expect(*this, in[0].dtype == Dtype::Bool, "expected a Bool condition, got {}", shown(in[0]));
        for (std::size_t i = chooses ? 1 : 0; i + 1 < in.size(); ++i)
            if (in[i].dtype != in[i + 1].dtype) expect(*this, false, "expected equal types, got {} and {}", shown(in[i]), shown(in[i + 1]));
        for (const Spec& spec : in)
            if (spec.shape != in[0].shape) expect(*this, false, "expected equal shapes, got {} and {}", shown(in[0]), shown(spec));
        const Dtype dtype = in.back().dtype;
        expect(*this, row.domain == Any || is_float(dtype) || (row.domain == Numbers && dtype == Dtype::I32), "expected {}, got {} (cast it first)",
               row.domain == Floats ? "floating numbers" : "floating numbers or I32", shown(in.back()));
        return {in[0].shape, row.predicate ? Dtype::Bool : in.back().dtype};
    }

    std::string glsl(const std::vector<std::string>& operands, const Specs&, Dtype) const override {
        const std::string text = substitute(row.glsl, operands);
        return row.predicate ? "uint(" + text + ")" : "(" + text + ")";
    }
    double eval(const double* operands) const override { return row.eval(operands); }
    std::string_view post_op() const override { return row.post_op ? row.post_op : ""; }
    VectorFunction vector() const override { return vector_function(row.name); }
    Tensors vjp(const Tensors& in, const Tensor& out, const Tensor& dy) const override { return row.vjp(in, out, dy); }
};

struct Cast final : ElementwiseOp {
    explicit Cast(Dtype to) : to(to) {}
    const Dtype to;

    std::string_view name() const override { return "cast"; }
    Attrs attrs() const override { return {{"to", std::string(name_of(to))}}; }
    Spec infer(const Specs& in) const override { return {in[0].shape, to}; }
    std::string glsl(const std::vector<std::string>& operands, const Specs&, Dtype) const override {
        switch (to) {
            case Dtype::I32: return "int(" + operands[0] + ")";
            case Dtype::U8: return "uint(" + operands[0] + ")";
            case Dtype::Bool: return "uint(" + operands[0] + " != 0)";
            default: return "float(" + operands[0] + ")";
        }
    }
    double eval(const double* x) const override {
        switch (to) {
            case Dtype::I32: case Dtype::U8: return std::trunc(x[0]);
            case Dtype::Bool: return x[0] != 0 ? 1.0 : 0.0;
            default: return x[0];
        }
    }
    Tensors vjp(const Tensors& in, const Tensor&, const Tensor& dy) const override {
        return {is_float(to) && is_float(in[0].dtype()) ? cast(dy, in[0].dtype()) : Tensor()};
    }
};

// A row by its name, looked up by the compiler.
struct RowName {
    consteval RowName(const char* name) {
        while (std::string_view(rows[index].name) != name) ++index;   // no row of this name: past the end, which does not compile
    }
    std::size_t index = 0;
};

// One op for all nodes of a row. Nobody owns it: it lives as long as the program, and nodes that share it count nothing.
std::shared_ptr<const Op> op_of(RowName name) {
    static const auto* ops = [] {
        auto* made = new std::vector<std::unique_ptr<const Primitive>>;
        for (const Row& row : rows) made->push_back(std::make_unique<const Primitive>(row));
        return made;
    }();
    return {std::shared_ptr<const Op>(), (*ops)[name.index].get()};
}

Shape broadcast_shape(std::string_view name, const Tensors& in) {
    Shape shape;
    for (const Tensor& x : in) {
        const Shape& other = x.shape();
        if (other.size() > shape.size()) shape.insert(shape.begin(), other.size() - shape.size(), 1);
        for (std::size_t i = 0; i < other.size(); ++i) {
            std::int64_t& length = shape[shape.size() - other.size() + i];
            check(length == other[i] || length == 1 || other[i] == 1, ErrorCode::InvalidGraph,
                  "{}: expected shapes that broadcast, got {} and {}", name, shown(in[0].shape()), shown(other));
            if (length == 1) length = other[i];
        }
    }
    return shape;
}

Tensor applied(RowName name, Tensors&& in) {
    const bool alike = std::all_of(in.begin() + 1, in.end(), [&](const Tensor& x) { return x.spec() == in[0].spec(); });
    if (alike) return apply_op(op_of(name), std::move(in));
    const Shape shape = broadcast_shape(rows[name.index].name, in);
    const std::size_t first = in.size() == 3 ? 1 : 0;   // the condition of a choice stays as it is
    const Dtype dtype = first == 0 ? result_type(in) : result_type(Tensors(in.begin() + 1, in.end()));
    // Cast after the broadcast: elementwise on the result's shape, it joins the kernel that reads it.
    for (std::size_t i = 0; i < in.size(); ++i) {
        if (in[i].shape() != shape) in[i] = broadcast_to(in[i], shape);
        if (i >= first && in[i].dtype() != dtype) in[i] = cast(in[i], dtype);
    }
    return apply_op(op_of(name), std::move(in));
}

// Operands are gathered one by one: a list in braces would be copied from.
template <typename... Operands>
Tensor primitive(RowName name, const Operands&... operands) {
    Tensors in;
    in.reserve(sizeof...(operands));
    (in.push_back(operands), ...);
    return applied(name, std::move(in));
}

int kind_of(Dtype dtype) { return is_float(dtype) ? 2 : dtype == Dtype::Bool ? 0 : 1; }

// Of the whole shape: it takes no memory, and there is nothing to broadcast.
Tensor number(const Tensor& like, double value) { return full_like(like, value); }

}  // namespace

Tensor operator+(const Tensor& a, const Tensor& b) { return primitive("add", a, b); }
Tensor operator-(const Tensor& a, const Tensor& b) { return primitive("sub", a, b); }
Tensor operator*(const Tensor& a, const Tensor& b) { return primitive("mul", a, b); }
Tensor operator/(const Tensor& a, const Tensor& b) { return primitive("div", a, b); }
Tensor operator+(const Tensor& a, double b) { return a + number(a, b); }
Tensor operator-(const Tensor& a, double b) { return a - number(a, b); }
Tensor operator*(const Tensor& a, double b) { return a * number(a, b); }
Tensor operator/(const Tensor& a, double b) { return a / number(a, b); }
Tensor operator+(double a, const Tensor& b) { return number(b, a) + b; }
Tensor operator-(double a, const Tensor& b) { return number(b, a) - b; }
Tensor operator*(double a, const Tensor& b) { return number(b, a) * b; }
Tensor operator/(double a, const Tensor& b) { return number(b, a) / b; }
Tensor operator-(const Tensor& x) { return primitive("neg", x); }
Tensor maximum(const Tensor& a, const Tensor& b) { return primitive("max", a, b); }
Tensor minimum(const Tensor& a, const Tensor& b) { return primitive("min", a, b); }
Tensor maximum(const Tensor& a, double b) { return maximum(a, number(a, b)); }
Tensor minimum(const Tensor& a, double b) { return minimum(a, number(a, b)); }
Tensor pow(const Tensor& a, const Tensor& b) { return primitive("pow", a, b); }
Tensor pow(const Tensor& a, double b) { return pow(a, number(a, b)); }
Tensor abs(const Tensor& x) { return primitive("abs", x); }
Tensor sign(const Tensor& x) { return primitive("sign", x); }
Tensor floor(const Tensor& x) { return primitive("floor", x); }
Tensor ceil(const Tensor& x) { return primitive("ceil", x); }
Tensor round(const Tensor& x) { return primitive("round", x); }
Tensor sqrt(const Tensor& x) { return primitive("sqrt", x); }
Tensor rsqrt(const Tensor& x) { return primitive("rsqrt", x); }
Tensor exp(const Tensor& x) { return primitive("exp", x); }
Tensor log(const Tensor& x) { return primitive("log", x); }
Tensor sin(const Tensor& x) { return primitive("sin", x); }
Tensor cos(const Tensor& x) { return primitive("cos", x); }
Tensor tanh(const Tensor& x) { return primitive("tanh", x); }
Tensor erf(const Tensor& x) { return primitive("erf", x); }
Tensor sigmoid(const Tensor& x) { return primitive("sigmoid", x); }
Tensor square(const Tensor& x) { return x * x; }
Tensor clamp(const Tensor& x, double low, double high) { return minimum(maximum(x, low), high); }
Tensor lerp(const Tensor& a, const Tensor& b, const Tensor& t) { return a + (b - a) * t; }
Tensor lerp(const Tensor& a, const Tensor& b, double t) { return a + (b - a) * t; }

Tensor relu(const Tensor& x) { return primitive("relu", x); }
Tensor silu(const Tensor& x) { return x * sigmoid(x); }
Tensor gelu(const Tensor& x) { return 0.5 * x * (1.0 + erf(x * 0.7071067811865476)); }
// arXiv:1606.08415, section 2
Tensor gelu_tanh(const Tensor& x) {
    return 0.5 * x * (1.0 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
}
Tensor quick_gelu(const Tensor& x) { return x * sigmoid(1.702 * x); }

Tensor less(const Tensor& a, const Tensor& b) { return primitive("less", a, b); }
Tensor less_equal(const Tensor& a, const Tensor& b) { return primitive("less_equal", a, b); }
Tensor equal(const Tensor& a, const Tensor& b) { return primitive("equal", a, b); }
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) { return primitive("where", condition, a, b); }
Tensor cast(const Tensor& x, Dtype dtype) { return x.dtype() == dtype ? x : apply_op<Cast>({x}, dtype); }

Dtype result_type(const Tensors& in) {
    int most = 0;   // the highest kind among tensors with axes
    bool any = false;
    for (const Tensor& x : in)
        if (x.rank() > 0) most = std::max(most, kind_of(x.dtype())), any = true;
    std::optional<Dtype> type;
    for (const Tensor& x : in) {
        if (any && x.rank() == 0 && kind_of(x.dtype()) <= most) continue;
        type = type ? promote(*type, x.dtype()) : x.dtype();
    }
    return *type;
}

std::shared_ptr<const Op> copy_op() { return op_of("copy"); }

// Names of the table's rows with their arity; tests derive their cases from it.
std::vector<std::pair<std::string, int>> primitive_names() {
    std::vector<std::pair<std::string, int>> names;
    for (const Row& row : rows) names.emplace_back(row.name, row.arity);
    return names;
}

}  // namespace gpu
