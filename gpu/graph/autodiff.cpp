#include "gpu/graph/autodiff.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "gpu/base/error.h"
#include "gpu/graph/op.h"
#include "gpu/ops.h"

namespace gpu {
namespace {

// Nodes from which `wrt` can be reached, inputs before users. Iterative: graphs are deep.
Tensors dependent_nodes(const Tensor& from, const std::unordered_set<std::uint64_t>& stop) {
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
        const bool is_stop = stop.contains(top.tensor.id());
        if (is_stop || !top.tensor.op() || top.next == top.tensor.inputs().size()) {
            const bool result = is_stop || top.depends;
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

}  // namespace

Tensors cotangents(const Tensor& y, const Tensor& dy, const Tensors& wrt) {
    std::unordered_set<std::uint64_t> stop;
    for (const Tensor& target : wrt) stop.insert(target.id());
    const Tensors sorted = dependent_nodes(y, stop);
    std::unordered_set<std::uint64_t> depends;
    for (const Tensor& node : sorted) depends.insert(node.id());

    std::unordered_map<std::uint64_t, Tensor> cotangent{{y.id(), dy}};
    for (auto it = sorted.rbegin(); it != sorted.rend(); ++it) {
        const auto found = cotangent.find(it->id());
        if (found == cotangent.end() || stop.contains(it->id()) || !it->op()) continue;
        const Tensors& inputs = it->inputs();
        const Tensors parts = it->op()->vjp(inputs, *it, found->second);
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            if (!parts[i] || !depends.contains(inputs[i].id())) continue;
            Tensor& sum = cotangent[inputs[i].id()];
            sum = sum ? sum + parts[i] : parts[i];
        }
    }
    Tensors result;
    for (const Tensor& target : wrt) {
        const auto found = cotangent.find(target.id());
        result.push_back(found == cotangent.end() ? zeros_like(target) : found->second);
    }
    return result;
}

Tensors gradients(const Tensor& loss, const Tensors& wrt) {
    check(loss.element_count() == 1, ErrorCode::InvalidGraph, "gradients: expected a loss with one element, got {}",
          to_string(loss.spec()));
    return cotangents(loss, ones_like(loss), wrt);
}

}  // namespace gpu
