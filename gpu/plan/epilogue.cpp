#include "gpu/plan/epilogue.h"

#include <algorithm>
#include <set>

#include "gpu/plan/step_inputs.h"

namespace gpu {
namespace {

constexpr std::size_t longest_epilogue = 12;

// oneDNN adds tensors of the result's own layout, and vectors over its last axis in memory (channels).
bool host_operand(const Program& program, const Step& step, int other) {
    const PlanNode &node = program.nodes[other], &core = program.nodes[step.core];
    const bool any_float = core.kernel->host_any_float && is_float(node.spec.dtype);
    if (node.root < 0 || node.blocks || (node.stored() != Dtype::F32 && !any_float)) return false;
    const PlanNode& result = program.nodes[step.result];
    if (node.view.is_dense(result.order)) return true;
    const int channel = result.order.back();
    if (result.spec.shape[channel] != core.spec.shape[core.order.back()]) return false;
    for (std::size_t axis = 0; axis < node.view.shape.size(); ++axis) {
        const std::int64_t wanted = static_cast<int>(axis) == channel ? 1 : 0;
        if (node.view.shape[axis] != 1 && node.view.strides[axis] != wanted) return false;
    }
    return true;
}

class EpilogueFinder {
public:
    EpilogueFinder(const Program& program, const std::vector<std::vector<int>>& users) : program_(program), nodes_(program.nodes), users_(users) {}

    std::vector<int> run(int core) const {
        std::vector<int> region{core}, best{core};
        std::set<int> inside{core};
        for (std::size_t count = 0; count < longest_epilogue; ++count) {
            const int next = next_candidate(inside, core);
            if (next < 0) break;
            region.push_back(next);
            inside.insert(next);
            if (is_closed(region, inside) && fits(region)) best = region;
        }
        return best;
    }

private:
    int next_candidate(const std::set<int>& inside, int core) const {
        int next = -1;
        for (const int member : inside)
            for (const int user : readers(member)) {
                const PlanNode& node = nodes_[user];
                const bool fresh = !inside.contains(user) && user > *inside.rbegin() && (next < 0 || user < next);
                if (fresh && is_elementwise(node) && node.step < 0 && node.spec.dtype == nodes_[core].spec.dtype && lies_alike(user, core) &&
                    (inside.size() == 1 || (node.spec == nodes_[*inside.rbegin()].spec && node.order == nodes_[*inside.rbegin()].order)))
                    next = user;
            }
        return next;
    }

    bool is_closed(const std::vector<int>& region, const std::set<int>& inside) const {
        for (std::size_t i = 0; i + 1 < region.size(); ++i) {
            if (nodes_[region[i]].output) return false;
            for (const int user : readers(region[i]))
                if (!inside.contains(user)) return false;
        }
        return true;
    }

    // Who reads a node; a kernel's result also in another shape of the same elements.
    std::vector<int> readers(int node) const {
        if (!nodes_[node].kernel) return users_[node];
        std::vector<int> result;
        add_readers(node, node, result);
        return result;
    }
    void add_readers(int node, int core, std::vector<int>& result) const {
        for (const int user : users_[node]) {
            if (is_reshaped(program_, user, core) && !nodes_[user].output) add_readers(user, core, result);
            else result.push_back(user);
        }
    }

    // Whether element i of the buffer of `node` is computed from element i of that of `core`: what it reads of the core, it reads so.
    bool lies_alike(int node, int core) const {
        const PlanNode& result = nodes_[node];
        if (result.spec.shape == nodes_[core].spec.shape && result.order != nodes_[core].order) return false;
        return std::all_of(result.inputs.begin(), result.inputs.end(), [&](int input) {
            return nodes_[input].root != core || (nodes_[input].view.offset == 0 && nodes_[input].view.is_dense(result.order));
        });
    }

    bool fits(const std::vector<int>& region) const {
        Step step;
        step.members = region;
        step.core = region[0];
        step.result = region.back();
        if (nodes_[region[0]].on_host) return post_operations(program_, step);
        return fixed_push_bytes(program_, step) <= program_.traits.max_push_bytes;
    }

    const Program& program_;
    const std::vector<PlanNode>& nodes_;
    const std::vector<std::vector<int>>& users_;
};

}  // namespace

std::vector<int> find_epilogue(const Program& program, const std::vector<std::vector<int>>& users, int core) { return EpilogueFinder(program, users).run(core); }

bool post_operations(const Program& program, Step& step) {
    step.post_ops.clear();
    int value = step.core;
    // The running value itself where it is read in another shape.
    const auto input = [&](const PlanNode& node, std::size_t i) { return is_reshaped(program, node.inputs[i], step.core) ? step.core : node.inputs[i]; };
    for (std::size_t i = 1; i < step.members.size(); ++i) {
        const PlanNode& node = program.nodes[step.members[i]];
        const std::string name(static_cast<const ElementwiseOp&>(*node.op).post_op());
        if (name.empty()) return false;
        // x * sigmoid(x): two nodes, one post-operation.
        if (name == "sigmoid" && i + 1 < step.members.size()) {
            const PlanNode& product = program.nodes[step.members[i + 1]];
            if (static_cast<const ElementwiseOp&>(*product.op).post_op() == "mul" && input(node, 0) == value &&
                std::minmax({input(product, 0), input(product, 1)}) == std::minmax({value, step.members[i]})) {
                step.post_ops.push_back({"swish"});
                value = step.members[++i];
                continue;
            }
        }
        PostOp post{name};
        if (node.inputs.size() == 2) {
            const int a = input(node, 0), b = input(node, 1), other = a == value ? b : a;
            if ((a == value) == (b == value)) return false;
            if (!host_operand(program, step, other)) return false;
            post.operand = other;   // node for now; finish() turns it into an index of the reads
        } else if (input(node, 0) != value) {
            return false;
        }
        step.post_ops.push_back(post);
        value = step.members[i];
    }
    return true;
}

View host_view(const Program& program, const Step& step, const View& view) {
    const PlanNode &core = program.nodes[step.core], &result = program.nodes[step.result];
    if (view.is_dense(result.order)) return {view.offset, core.view.shape, core.view.strides};
    if (core.spec.shape == result.spec.shape) return view;
    View vector{view.offset, Shape(core.spec.shape.size(), 1), Shape(core.spec.shape.size(), 0)};
    vector.shape[core.order.back()] = view.shape[result.order.back()];
    vector.strides[core.order.back()] = 1;
    return vector;
}

}  // namespace gpu
