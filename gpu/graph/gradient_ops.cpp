// Ops that pass their first input's value on and say how cotangents pass. The planner reads the input in their place.
#include <atomic>
#include <unordered_map>
#include <unordered_set>

#include "gpu/base/error.h"
#include "gpu/graph/autodiff.h"
#include "gpu/graph/graph_lock.h"
#include "gpu/graph/op.h"
#include "gpu/graph/shown.h"

namespace gpu {
namespace {

struct Passing : MovementOp {
    Spec infer(const Specs& in) const override { return in[0]; }
    bool is_identity() const override { return true; }
    bool view(const View& in, View& out) const override { return out = in, true; }
    std::int64_t source(const std::vector<std::int64_t>& index, const Shape& in) const override {
        std::int64_t at = 0;
        for (std::size_t i = 0; i < in.size(); ++i) at = at * in[i] + index[i];
        return at;
    }
};

struct StopGradient final : Passing {
    std::string_view name() const override { return "stop_gradient"; }
    Tensors vjp(const Tensors&, const Tensor&, const Tensor&) const override { return {{}}; }
};

struct StraightThrough final : Passing {
    std::string_view name() const override { return "straight_through"; }
    Spec infer(const Specs& in) const override {
        expect(*this, in[0] == in[1], "expected two tensors alike, got {} and {}", shown(in[0]), shown(in[1]));
        return in[0];
    }
    Tensors vjp(const Tensors&, const Tensor&, const Tensor& dy) const override { return {{}, dy}; }
};

struct Barrier final : Passing {
    std::string_view name() const override { return "barrier"; }
    Tensors vjp(const Tensors&, const Tensor&, const Tensor& dy) const override { return {dy, {}}; }
};

std::int64_t next_call() {
    static std::atomic<std::int64_t> call{0};
    return ++call;
}

// Functions cannot be compared: every call is an op of its own.
struct WithVjp final : Passing {
    explicit WithVjp(Vjp function) : function(std::move(function)) {}
    const Vjp function;
    const std::int64_t call = next_call();

    std::string_view name() const override { return "with_vjp"; }
    Attrs attrs() const override { return {{"call", call, false}}; }
    Tensors vjp(const Tensors& in, const Tensor&, const Tensor& dy) const override {
        const Tensors inputs(in.begin() + 1, in.end());
        Tensors parts = function(inputs, in[0], dy);
        expect(*this, parts.size() == inputs.size(), "expected {} cotangents, got {}", inputs.size(), parts.size());
        for (std::size_t i = 0; i < parts.size(); ++i)
            expect(*this, !parts[i] || parts[i].spec() == inputs[i].spec(), "expected a cotangent {}, got {}",
                   shown(inputs[i].spec()), shown(parts[i].spec()));
        parts.insert(parts.begin(), Tensor());
        return parts;
    }
};

// Inputs: the block's value, `count` inputs of the block, and what else the block reads.
struct Checkpoint final : Passing {
    explicit Checkpoint(std::int64_t count) : count(count) {}
    const std::int64_t count;

    std::string_view name() const override { return "checkpoint"; }
    Attrs attrs() const override { return {{"count", count}}; }
    Tensors vjp(const Tensors& in, const Tensor&, const Tensor& dy) const override {
        const Tensors inputs(in.begin() + 1, in.begin() + 1 + count);
        Tensors again;
        for (const Tensor& input : inputs) again.push_back(barrier(input, dy));
        const Tensor value = substitute(in[0], inputs, again);
        again.insert(again.end(), in.begin() + 1 + count, in.end());
        Tensors parts = input_cotangents(value, dy, again);
        parts.insert(parts.begin(), Tensor());
        return parts;
    }
};

// A number in some shape: needs no gradient.
bool is_constant(const Tensor& x) {
    if (!x.op() || x.value()) return false;
    return x.op()->kind() == OpKind::Source || (x.op()->kind() == OpKind::Movement && is_constant(x.inputs()[0]));
}

// What `y` is computed from, inputs before users, and whether each depends on one of `from`. Not entered: `from` itself
// and what does not depend on it. Iterative: graphs are deep.
struct Dependence {
    Tensors sorted;
    std::unordered_map<std::uint64_t, bool> depends;
};

Dependence dependence(const Tensor& y, const Tensors& from) {
    Dependence result;
    for (const Tensor& one : from) result.depends[one.id()] = true;
    std::vector<std::pair<Tensor, std::size_t>> stack{{y, 0}};
    while (!stack.empty()) {
        const Tensor tensor = stack.back().first;
        if (result.depends.contains(tensor.id())) {
            stack.pop_back();
        } else if (stack.back().second < tensor.inputs().size()) {
            stack.emplace_back(tensor.inputs()[stack.back().second++], 0);
        } else {
            bool depends = false;
            for (const Tensor& input : tensor.inputs()) depends = depends || result.depends.at(input.id());
            result.depends[tensor.id()] = depends;
            if (depends) result.sorted.push_back(tensor);
            stack.pop_back();
        }
    }
    return result;
}

}  // namespace

Tensor stop_gradient(const Tensor& x) { return apply_op<StopGradient>({x}); }
Tensor straight_through(const Tensor& value, const Tensor& like) { return apply_op<StraightThrough>({value, like}); }
Tensor barrier(const Tensor& x, const Tensor& after) { return apply_op<Barrier>({x, after}); }

Tensor with_vjp(const Tensor& value, const Tensors& inputs, Vjp vjp) {
    Tensors all{value};
    all.insert(all.end(), inputs.begin(), inputs.end());
    return apply_op<WithVjp>(all, std::move(vjp));
}

Tensor substitute(const Tensor& y, const Tensors& from, const Tensors& to) {
    check(from.size() == to.size(), ErrorCode::InvalidGraph, "substitute: expected {} tensors, got {}", from.size(), to.size());
    std::unordered_map<std::uint64_t, Tensor> made;
    for (std::size_t i = 0; i < from.size(); ++i) {
        check(from[i].spec() == to[i].spec(), ErrorCode::InvalidGraph, "substitute: expected {}, got {}",
              shown(from[i].spec()), shown(to[i].spec()));
        made[from[i].id()] = to[i];
    }
    const GraphLock walk;
    for (const Tensor& tensor : dependence(y, from).sorted) {
        Tensors inputs = tensor.inputs();
        for (Tensor& input : inputs)
            if (const auto found = made.find(input.id()); found != made.end()) input = found->second;
        made[tensor.id()] = apply_op(tensor.node()->op, inputs);
    }
    const auto found = made.find(y.id());
    return found == made.end() ? y : found->second;
}

Tensor checkpoint(const std::function<Tensor(const Tensors&)>& f, const Tensors& inputs) {
    const Tensor value = f(inputs);
    const GraphLock walk;
    const Dependence block = dependence(value, inputs);
    Tensors all{value};
    all.insert(all.end(), inputs.begin(), inputs.end());
    std::unordered_set<std::uint64_t> known;
    for (const Tensor& tensor : block.sorted)
        for (const Tensor& input : tensor.inputs())
            if (!block.depends.at(input.id()) && !is_constant(input) && known.insert(input.id()).second) all.push_back(input);
    return apply_op<Checkpoint>(all, static_cast<std::int64_t>(inputs.size()));
}

}  // namespace gpu
