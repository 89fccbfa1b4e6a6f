#include "gpu/graph/autodiff.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "gpu/base/error.h"
#include "gpu/graph/op.h"
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

// Cotangents by tensor id, of `wrt` and of all between y and them.
std::unordered_map<std::uint64_t, Tensor> propagate(const Tensor& y, const Tensor& dy, const Ids& wrt, const Ids& stop) {
    check(y.spec() == dy.spec(), ErrorCode::InvalidGraph, "cotangents: expected one for {}, got {}", to_string(y.spec()),
          to_string(dy.spec()));
    const Tensors sorted = dependent_nodes(y, wrt, stop);
    Ids depends;
    for (const Tensor& node : sorted) depends.insert(node.id());
    std::unordered_map<std::uint64_t, Tensor> cotangent{{y.id(), dy}};
    for (auto it = sorted.rbegin(); it != sorted.rend(); ++it) {
        const auto found = cotangent.find(it->id());
        if (found == cotangent.end() || stop.contains(it->id()) || !it->op()) continue;
        const Tensors& inputs = it->inputs();
        if (inputs.empty()) continue;   // a value by now
        const Tensors parts = it->op()->vjp(inputs, *it, found->second);
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            if (!parts[i] || !depends.contains(inputs[i].id())) continue;
            Tensor& sum = cotangent[inputs[i].id()];
            sum = sum ? sum + parts[i] : parts[i];
        }
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
          to_string(loss.spec()));
    return picked(propagate(loss, full_like(loss, seed), ids_of(wrt), {}), wrt);
}

}  // namespace gpu
