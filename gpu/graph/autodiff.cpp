#include "gpu/graph/autodiff.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "gpu/base/error.h"
#include "gpu/graph/graph_lock.h"
#include "gpu/graph/op.h"
#include "gpu/graph/shown.h"
#include "gpu/ops.h"

namespace gpu {
namespace {

using Ids = std::unordered_set<std::uint64_t>;

// Nodes from which `wrt` can be reached, inputs before users; not entered past `stop`. Iterative: graphs are deep.
Tensors dependent_nodes(const Tensor& from, const Ids& wrt, const Ids& stop) {
    struct Visit {
        Tensor tensor;
        std::size_t next = 0;
        bool depends = false;
    };
    std::unordered_map<std::uint64_t, bool> depends;
    Tensors sorted;
    std::vector<Visit> stack{{from}};
    while (!stack.empty()) {
        Visit& top = stack.back();
        const bool entered = top.tensor.op() && !stop.contains(top.tensor.id());
        if (!entered || top.next == top.tensor.inputs().size()) {
            const bool result = top.depends || wrt.contains(top.tensor.id());
            depends[top.tensor.id()] = result;
            if (result) sorted.push_back(top.tensor);
            stack.pop_back();
            if (!stack.empty() && result) stack.back().depends = true;
            continue;
        }
        const Tensor input = top.tensor.inputs()[top.next++];
        if (const auto known = depends.find(input.id()); known != depends.end()) {
            if (known->second) top.depends = true;
        } else {
            stack.push_back({input});
        }
    }
    return sorted;
}

// A cotangent of a slice, padded back to the whole: where it lies along its axis.
struct Placed {
    Tensor part;
    int axis = -1;
    std::int64_t start = 0;
};

std::optional<Placed> placed(const Tensor& x) {
    const Op* op = x.value() ? nullptr : x.op();
    if (!op || op->kind() != OpKind::Movement) return std::nullopt;
    const auto& movement = static_cast<const MovementOp&>(*op);
    if (!movement.fills()) return std::nullopt;
    const auto [before, interior] = movement.padding();
    Placed result{x.inputs()[0]};
    for (int axis = 0; axis < x.rank(); ++axis) {
        if (interior[axis] != 0) return std::nullopt;
        if (x.shape()[axis] == result.part.shape()[axis]) continue;
        if (result.axis >= 0) return std::nullopt;
        result.axis = axis;
        result.start = before[axis];
    }
    return result;
}

// The sum of what reaches one tensor. Cotangents of slices that together make up the whole (the halves of a gated unit, the
// queries, keys and values of one product) are joined: padding and adding them would be twice the traffic.
Tensor added(const Tensors& parts) {
    std::vector<Placed> slices;
    Tensors others;
    for (const Tensor& part : parts) {
        const auto one = placed(part);
        if (one && one->axis >= 0 && (slices.empty() || slices[0].axis == one->axis)) {
            slices.push_back(*one);
        } else {
            others.push_back(part);
        }
    }
    std::sort(slices.begin(), slices.end(), [](const Placed& a, const Placed& b) { return a.start < b.start; });
    std::int64_t end = 0;
    bool tiled = slices.size() > 1;
    for (const Placed& slice : slices) {
        tiled = tiled && slice.start == end;
        end += slice.part.shape()[static_cast<std::size_t>(slice.axis)];
    }
    tiled = tiled && end == parts[0].shape()[static_cast<std::size_t>(slices[0].axis)];
    Tensor sum;
    if (tiled) {
        Tensors joined;
        for (const Placed& slice : slices) joined.push_back(slice.part);
        sum = concat(joined, slices[0].axis);
    }
    for (const Tensor& part : tiled ? others : parts) sum = sum ? sum + part : part;
    return sum;
}

// Cotangents by tensor id, of `wrt` and of all between y and them.
std::unordered_map<std::uint64_t, Tensor> propagate(const Tensor& y, const Tensor& dy, const Ids& wrt, const Ids& stop) {
    check(y.spec() == dy.spec(), ErrorCode::InvalidGraph, "cotangents: expected one for {}, got {}", shown(y.spec()),
          shown(dy.spec()));
    const GraphLock walk;
    const Tensors sorted = dependent_nodes(y, wrt, stop);
    Ids depends;
    for (const Tensor& node : sorted) depends.insert(node.id());
    std::unordered_map<std::uint64_t, Tensors> arrived{{y.id(), {dy}}};
    std::unordered_map<std::uint64_t, Tensor> cotangent;
    for (auto it = sorted.rbegin(); it != sorted.rend(); ++it) {
        const auto found = arrived.find(it->id());
        if (found == arrived.end()) continue;
        const Tensor& total = cotangent[it->id()] = added(found->second);
        if (stop.contains(it->id()) || !it->op()) continue;
        const Tensors& inputs = it->inputs();
        if (inputs.empty()) continue;   // a value by now
        const Tensors parts = it->op()->vjp(inputs, *it, total);
        for (std::size_t i = 0; i < inputs.size(); ++i)
            if (parts[i] && depends.contains(inputs[i].id())) arrived[inputs[i].id()].push_back(parts[i]);
    }
    return cotangent;
}

Ids ids_of(const Tensors& tensors) {
    Ids ids;
    for (const Tensor& tensor : tensors) ids.insert(tensor.id());
    return ids;
}

Tensors picked(const std::unordered_map<std::uint64_t, Tensor>& cotangent, const Tensors& wrt) {
    Tensors result;
    for (const Tensor& target : wrt) {
        const auto found = cotangent.find(target.id());
        result.push_back(found == cotangent.end() ? zeros_like(target) : found->second);
    }
    return result;
}

}  // namespace

Tensors cotangents(const Tensor& y, const Tensor& dy, const Tensors& wrt) {
    const Ids ids = ids_of(wrt);
    return picked(propagate(y, dy, ids, ids), wrt);
}

Tensors input_cotangents(const Tensor& y, const Tensor& dy, const Tensors& inputs) {
    const Ids ids = ids_of(inputs);
    auto cotangent = propagate(y, dy, ids, ids);
    Tensors result;
    for (const Tensor& input : inputs) {
        const auto found = cotangent.find(input.id());
        result.push_back(found == cotangent.end() ? Tensor() : std::move(found->second));
        if (found != cotangent.end()) cotangent.erase(found);
    }
    return result;
}

Tensors gradients(const Tensor& loss, const Tensors& wrt, double seed) {
    check(loss.element_count() == 1, ErrorCode::InvalidGraph, "gradients: expected a loss with one element, got {}",
          shown(loss.spec()));
    return picked(propagate(loss, full_like(loss, seed), ids_of(wrt), {}), wrt);
}

}  // namespace gpu
