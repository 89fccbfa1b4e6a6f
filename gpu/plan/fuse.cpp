// Groups nodes into steps. A kernel op takes the elementwise nodes that only its result feeds (epilogue); elementwise
// chains with at most one reduction become one generated kernel. A node joins a step when all its readers are in it.
#include <algorithm>
#include <set>

#include "gpu/base/span.h"
#include "gpu/plan/program.h"

namespace gpu {
namespace {

constexpr std::size_t max_epilogue = 12;

class Fuser {
public:
    explicit Fuser(Program& program) : program_(program), nodes_(program.nodes), users_(program.users()) {}

    void run() {
        for (std::size_t i = 0; i < nodes_.size(); ++i)
            if (nodes_[i].kernel) add_kernel(static_cast<int>(i));
        for (std::size_t i = nodes_.size(); i-- > 0;)
            if (needs_step(static_cast<int>(i)) && !join(static_cast<int>(i))) add_generated(static_cast<int>(i));
        for (Step& step : program_.steps) finish(step);
    }

private:
    bool needs_step(int i) const {
        const PlanNode& node = nodes_[i];
        return node.step < 0 && node.leaf < 0 && node.root == i && (node.scalar < 0 || node.output);
    }

    bool is_elementwise(int i) const {
        return nodes_[i].op && nodes_[i].op->kind() == OpKind::Elementwise && nodes_[i].scalar < 0;
    }

    // --- kernels with their epilogues ---

    void add_kernel(int i) {
        Step step;
        step.core = i;
        step.kind = nodes_[i].on_host ? Step::Host : nodes_[i].kernel->recorder.empty() ? Step::Shader : Step::Recorded;
        step.members = {i};
        if (!nodes_[i].kernel->parts.empty()) return add_parts(i);
        if (program_.fuse && nodes_[i].kernel->epilogue) step.members = epilogue(i);
        step.result = step.members.back();
        assign(std::move(step));
    }

    // A copy for each part, all into one buffer.
    void add_parts(int i) {
        const PlanNode& node = nodes_[i];
        for (const Kernel::Part& part : node.kernel->parts) {
            const PlanNode& from = nodes_[node.inputs[part.input]];
            Step step;
            step.core = step.result = i;
            step.members = {i};
            step.reads = {{from.root, from.view, from.stored(), {}, from.blocks}};
            step.write = {i, node.view, node.spec.dtype, {}};
            step.write.view.shape[part.axis] = from.spec.shape[part.axis];
            step.write.view.offset = part.start * node.view.strides[part.axis];
            assign(std::move(step));
        }
    }

    // The longest closed region from `core` on: elementwise nodes of its shape, of which only the last is read outside.
    std::vector<int> epilogue(int core) const {
        std::vector<int> region{core}, best{core};
        std::set<int> inside{core};
        for (std::size_t count = 0; count < max_epilogue; ++count) {
            const int next = next_candidate(inside, core);
            if (next < 0) break;
            region.push_back(next);
            inside.insert(next);
            if (is_closed(region, inside) && fits(region)) best = region;
        }
        return best;
    }

    int next_candidate(const std::set<int>& inside, int core) const {
        int next = -1;
        for (const int member : inside)
            for (const int user : users_[member]) {
                const bool fresh = !inside.contains(user) && user > *inside.rbegin() && (next < 0 || user < next);
                if (fresh && is_elementwise(user) && nodes_[user].step < 0 &&
                    nodes_[user].spec == nodes_[core].spec && nodes_[user].order == nodes_[core].order)
                    next = user;
            }
        return next;
    }

    bool is_closed(const std::vector<int>& region, const std::set<int>& inside) const {
        for (std::size_t i = 0; i + 1 < region.size(); ++i) {
            if (nodes_[region[i]].output) return false;
            for (const int user : users_[region[i]])
                if (!inside.contains(user)) return false;
        }
        return true;
    }

    bool fits(const std::vector<int>& region) const {
        Step step;
        step.members = region;
        step.core = region[0];
        step.result = region.back();
        if (nodes_[region[0]].on_host) return post_operations(step);
        return push_bytes(step) <= program_.traits.max_push_bytes;
    }

    // Whether a host kernel can do the region as it writes its result: a chain on the running value.
    bool post_operations(Step& step) const {
        step.post_ops.clear();
        int value = step.core;
        for (std::size_t i = 1; i < step.members.size(); ++i) {
            const PlanNode& node = nodes_[step.members[i]];
            const std::string name(static_cast<const ElementwiseOp&>(*node.op).post_op());
            if (name.empty()) return false;
            // x * sigmoid(x): two nodes, one post-operation.
            if (name == "sigmoid" && i + 1 < step.members.size()) {
                const PlanNode& product = nodes_[step.members[i + 1]];
                const auto& in = product.inputs;
                if (static_cast<const ElementwiseOp&>(*product.op).post_op() == "mul" && node.inputs[0] == value &&
                    std::minmax(in[0], in[1]) == std::minmax(value, step.members[i])) {
                    step.post_ops.push_back({"swish"});
                    value = step.members[++i];
                    continue;
                }
            }
            PostOp post{name};
            if (node.inputs.size() == 2) {
                const int other = node.inputs[0] == value ? node.inputs[1] : node.inputs[0];
                const bool same = node.inputs[0] == value && node.inputs[1] == value;
                if (same || (node.inputs[0] != value && node.inputs[1] != value)) return false;
                if (!host_operand(step, other)) return false;
                post.operand = other;   // node for now; finish() turns it into an index of the reads
            } else if (node.inputs[0] != value) {
                return false;
            }
            step.post_ops.push_back(post);
            value = step.members[i];
        }
        return true;
    }

    // oneDNN adds tensors of the result's own layout, and vectors over its last axis in memory (channels).
    bool host_operand(const Step& step, int other) const {
        const PlanNode &node = nodes_[other], &core = nodes_[step.core];
        const bool any_float = core.kernel->host_any_float && is_float(node.spec.dtype);
        if (node.root < 0 || node.blocks || (node.stored() != Dtype::F32 && !any_float)) return false;
        if (node.view.is_dense(core.order)) return true;
        const int channel = core.order.back();
        for (std::size_t axis = 0; axis < node.view.shape.size(); ++axis) {
            const std::int64_t wanted = static_cast<int>(axis) == channel ? 1 : 0;
            if (node.view.shape[axis] != 1 && node.view.strides[axis] != wanted) return false;
        }
        return true;
    }

    // --- generated kernels ---

    bool join(int i) {
        if (!program_.fuse || nodes_[i].output || users_[i].empty()) return false;
        const int s = nodes_[users_[i][0]].step;
        for (const int user : users_[i])
            if (s < 0 || nodes_[user].step != s) return false;
        Step& step = program_.steps[s];
        if (step.kind != Step::Generated || step.core >= 0 || !can_fuse(nodes_[step.result])) return false;
        if (nodes_[i].op->kind() == OpKind::Reduce) {
            if (step.reduce >= 0 || nodes_[i].spec.shape != nodes_[step.result].spec.shape || !fits_with(step, i, i)) return false;
            step.reduce = i;
        } else if (!is_elementwise(i) || !in_one_zone(step, i) || !fits_with(step, i, step.reduce)) {
            return false;
        }
        step.members.insert(step.members.begin(), i);
        nodes_[i].step = s;
        return true;
    }

    static bool can_fuse(const PlanNode& node) {
        return node.op->kind() == OpKind::Elementwise || node.op->kind() == OpKind::Reduce;
    }

    // Before the reduction (its input's shape) or after it (the result's shape); all readers on the same side.
    bool in_one_zone(const Step& step, int i) const {
        if (step.reduce < 0) return nodes_[i].spec.shape == nodes_[step.result].spec.shape;
        const Shape& before = nodes_[nodes_[step.reduce].inputs[0]].spec.shape;
        const bool feeds_reduce = nodes_[i].spec.shape == before;
        for (const int user : users_[i]) {
            const bool user_before = user == step.reduce || nodes_[user].spec.shape == before;
            if (user_before != feeds_reduce) return false;
        }
        return feeds_reduce || nodes_[i].spec.shape == nodes_[step.result].spec.shape;
    }

    bool fits_with(const Step& step, int i, int reduce) const {
        Step larger = step;
        larger.members.insert(larger.members.begin(), i);
        larger.reduce = reduce;
        return push_bytes(larger) <= program_.traits.max_push_bytes;
    }

    void add_generated(int i) {
        Step step;
        step.members = {i};
        step.result = i;
        if (nodes_[i].op->kind() == OpKind::Reduce) step.reduce = i;
        assign(std::move(step));
    }

    void assign(Step step) {
        for (const int member : step.members) nodes_[member].step = static_cast<int>(program_.steps.size());
        program_.steps.push_back(std::move(step));
    }

    // --- operands ---

    // Nodes that the step reads from buffers, each once.
    std::vector<int> external_inputs(const Step& step) const {
        const std::set<int> inside(step.members.begin(), step.members.end());
        std::vector<int> result;
        for (const int member : step.members)
            for (const int input : nodes_[member].inputs)
                if (!inside.contains(input) && nodes_[input].root >= 0 && nodes_[input].scalar < 0 &&
                    std::find(result.begin(), result.end(), input) == result.end())
                    result.push_back(input);
        return result;
    }

    // An upper bound of what generate() will push.
    std::size_t push_bytes(const Step& step) const {
        std::set<int> scalars;
        for (const int member : step.members) {
            if (nodes_[member].scalar >= 0) scalars.insert(nodes_[member].scalar);
            for (const int input : nodes_[member].inputs)
                if (nodes_[input].scalar >= 0) scalars.insert(nodes_[input].scalar);
        }
        std::size_t bytes = 8 + 4 * scalars.size();
        if (step.core >= 0) bytes += 4 * nodes_[step.core].kernel->push.size();
        const Order& order = nodes_[step.result].order;
        std::size_t strided = 0;
        for (const int input : external_inputs(step)) {
            bytes += 8;
            const bool linear = step.reduce < 0 && nodes_[input].view.is_dense(order) && nodes_[input].view.shape.size() == order.size();
            if (!linear) {
                bytes += 4 * nodes_[input].view.shape.size() + 4;
                ++strided;
            }
        }
        return bytes + 4 + 4 * (strided || step.reduce >= 0 ? 1 + order.size() : 0);
    }

    void finish(Step& step) {
        if (step.core >= 0 && step.kind == Step::Generated) return;   // add_parts() did
        const PlanNode& result = nodes_[step.result];
        step.write = {step.result, result.view, result.spec.dtype, {}};
        const auto operand = [&](int node, const Order& leaf_order) {
            const PlanNode& from = nodes_[node];
            return Operand{from.root, from.view, from.stored(), leaf_order, from.blocks};
        };
        std::vector<int> read_nodes;
        if (step.core >= 0) {
            // The kernel's own inputs first, in the order of its push block.
            const PlanNode& core = nodes_[step.core];
            const Kernel& kernel = *core.kernel;
            for (const Kernel::Input& wanted : core.on_host ? kernel.host_inputs : kernel.inputs) {
                const int node = core.inputs[wanted.index];
                Operand read = operand(node, {});
                if (!wanted.order.empty()) {
                    if (!read.view.is_dense(wanted.order)) read.leaf_order = wanted.order;   // a leaf that is kept reordered
                    read.view.strides = dense_strides(read.view.shape, wanted.order);
                }
                step.reads.push_back(read);
                read_nodes.push_back(-1);
            }
            if (core.on_host) post_operations(step);
        }
        for (const int node : external_inputs(step)) {
            const bool core_only = step.core >= 0 && !read_by_epilogue(step, node);
            if (core_only) continue;
            read_nodes.push_back(node);
            step.reads.push_back(operand(node, {}));
            View& view = step.reads.back().view;
            if (step.kind == Step::Host && view.is_dense(result.order)) view.strides = result.view.strides;
        }
        for (PostOp& post : step.post_ops)
            if (post.operand >= 0)
                post.operand = static_cast<int>(std::find(read_nodes.begin(), read_nodes.end(), post.operand) - read_nodes.begin());
    }

    bool read_by_epilogue(const Step& step, int node) const {
        for (std::size_t i = 1; i < step.members.size(); ++i) {
            const auto& inputs = nodes_[step.members[i]].inputs;
            if (std::find(inputs.begin(), inputs.end(), node) != inputs.end()) return true;
        }
        return false;
    }

    Program& program_;
    std::vector<PlanNode>& nodes_;
    const std::vector<std::vector<int>> users_;
};

}  // namespace

void fuse(Program& program) {
    const Span span("pass", "fuse");
    Fuser(program).run();
}

}  // namespace gpu
