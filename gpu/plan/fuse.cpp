// Groups nodes into steps. A kernel op takes the elementwise nodes that only its result feeds (epilogue) and those that only feed it
// (prologue, prologue.h); elementwise chains and reductions over the same axes of one index space become one generated kernel (softmax, norms). A node joins a
// step when all its readers are in it.
#include <algorithm>
#include <set>

#include "gpu/base/span.h"
#include "gpu/plan/program.h"
#include "gpu/plan/prologue.h"

namespace gpu {
namespace {

constexpr std::size_t max_epilogue = 12;
// Elements of rows that are walked more than once, and how many rows there should be unless they are short.
constexpr std::int64_t longest_row = 65536, short_row = 8192, fewest_rows = 16;

bool is_repetition(const Program& program, int node, int of);
bool is_reshaped(const Program& program, int node, int of);

class Fuser {
public:
    explicit Fuser(Program& program) : program_(program), nodes_(program.nodes), users_(program.users()) {}

    void run() {
        for (std::size_t i = 0; i < nodes_.size(); ++i)
            if (nodes_[i].kernel) add_kernel(static_cast<int>(i));
        for (std::size_t i = nodes_.size(); i-- > 0;)
            if (needs_step(static_cast<int>(i)) && !precede(static_cast<int>(i)) && !join(static_cast<int>(i)))
                add_generated(static_cast<int>(i));
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
            for (const int user : readers(member)) {
                const PlanNode& node = nodes_[user];
                const bool fresh = !inside.contains(user) && user > *inside.rbegin() && (next < 0 || user < next);
                if (fresh && is_elementwise(user) && node.step < 0 && node.spec.dtype == nodes_[core].spec.dtype && lies_alike(user, core) &&
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
        if (nodes_[region[0]].on_host) return post_operations(step);
        return fixed_push_bytes(step) <= program_.traits.max_push_bytes;
    }

    // Whether a host kernel can do the region as it writes its result: a chain on the running value.
    bool post_operations(Step& step) const {
        step.post_ops.clear();
        int value = step.core;
        // The running value itself where it is read in another shape.
        const auto input = [&](const PlanNode& node, std::size_t i) { return is_reshaped(program_, node.inputs[i], step.core) ? step.core : node.inputs[i]; };
        for (std::size_t i = 1; i < step.members.size(); ++i) {
            const PlanNode& node = nodes_[step.members[i]];
            const std::string name(static_cast<const ElementwiseOp&>(*node.op).post_op());
            if (name.empty()) return false;
            // x * sigmoid(x): two nodes, one post-operation.
            if (name == "sigmoid" && i + 1 < step.members.size()) {
                const PlanNode& product = nodes_[step.members[i + 1]];
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
                if (!host_operand(step, other)) return false;
                post.operand = other;   // node for now; finish() turns it into an index of the reads
            } else if (input(node, 0) != value) {
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
        const PlanNode& result = nodes_[step.result];
        if (node.view.is_dense(result.order)) return true;
        const int channel = result.order.back();
        if (result.spec.shape[channel] != core.spec.shape[core.order.back()]) return false;
        for (std::size_t axis = 0; axis < node.view.shape.size(); ++axis) {
            const std::int64_t wanted = static_cast<int>(axis) == channel ? 1 : 0;
            if (node.view.shape[axis] != 1 && node.view.strides[axis] != wanted) return false;
        }
        return true;
    }

    // --- what a kernel computes as it loads ---

    bool precede(int i) {
        const auto found = find_prologue(program_, users_, i);
        if (!found) return false;
        Step& step = program_.steps[found->step];
        step.prologues.push_back(found->prologue);
        if (fixed_push_bytes(step) > program_.traits.max_push_bytes) return step.prologues.pop_back(), false;
        for (const int member : found->prologue.members) nodes_[member].step = found->step;
        return true;
    }

    // --- generated kernels ---

    bool join(int i) {
        if (!program_.fuse || nodes_[i].output) return false;
        const int s = step_of_readers(i);
        if (s < 0) return false;
        Step larger = program_.steps[s];
        if (larger.kind != Step::Generated || larger.core >= 0 || !can_fuse(nodes_[larger.result])) return false;
        larger.members.insert(larger.members.begin(), i);
        if (!admits(larger, i) || !pushes_little(larger)) return false;
        program_.steps[s] = std::move(larger);
        nodes_[i].step = s;
        return true;
    }

    // Sizes and strides that do not fit become literals of the text. Rows are worth that: each step saved is a sweep over them.
    // The host's interpreter is pushed nothing.
    bool pushes_little(const Step& step) const {
        const std::size_t most = program_.traits.max_push_bytes;
        return push_bytes(step) <= most || (fixed_push_bytes(step) <= most && (!step.axes.empty() || suits_host(step)));
    }
    bool suits_host(const Step& step) const {
        if (!program_.traits.host_kernels || !has_host_members(step)) return false;
        const std::vector<int> inputs = external_inputs(step);
        return std::all_of(inputs.begin(), inputs.end(), [&](int input) { return nodes_[input].stored() == Dtype::F32 && !nodes_[input].blocks; });
    }

    static bool can_fuse(const PlanNode& node) {
        return node.op->kind() == OpKind::Elementwise || node.op->kind() == OpKind::Reduce;
    }

    // The one step that all readers of `i` are in, or -1. Who reads `i` repeated along some axes reads `i`.
    int step_of_readers(int i) const {
        int step = -1;
        for (const int user : users_[i]) {
            const int at = is_repetition(program_, user, i) && !nodes_[user].output ? step_of_readers(user) : nodes_[user].step;
            if (at < 0 || (step >= 0 && at != step)) return -1;
            step = at;
        }
        return step;
    }

    // Whether the step's index space has a place for its new member `i`; settles what the first reduction decides.
    bool admits(Step& step, int i) const {
        const PlanNode &node = nodes_[i], &result = nodes_[step.result];
        if (node.op->kind() == OpKind::Reduce) {
            const auto& axes = static_cast<const ReduceOp&>(*node.op).axes();
            const Shape& space = nodes_[node.inputs[0]].spec.shape;
            if (step.axes.empty()) {
                if (node.spec.shape != result.spec.shape && space != result.spec.shape) return false;
                step.space = space;
                step.axes = axes;
            }
            return axes == step.axes && space == step.space && suits_rows(step);
        }
        if (!is_elementwise(i)) return false;
        if (node.spec.shape == step.space) return true;
        if (step.axes.empty()) {   // it may follow a reduction that is to come
            const int reduction = reduction_behind(i, step.space);
            if (reduction < 0) return false;
            step.axes = static_cast<const ReduceOp&>(*nodes_[reduction].op).axes();
        }
        return node.spec.shape == row_shape(step) && suits_rows(step);
    }

    static Shape row_shape(const Step& step) {
        Shape shape = step.space;
        for (const int axis : step.axes) shape[axis] = 1;
        return shape;
    }

    // A reduction of `space`, not in a step yet, that elementwise nodes of the rows' shape lead from to `i`; or -1.
    int reduction_behind(int i, const Shape& space) const {
        for (const int input : nodes_[i].inputs) {
            const PlanNode& node = nodes_[input];
            if (!node.op || node.scalar >= 0 || node.step >= 0 || node.spec.shape != nodes_[i].spec.shape) continue;
            if (node.op->kind() == OpKind::Reduce && nodes_[node.inputs[0]].spec.shape == space) return input;
            if (node.op->kind() != OpKind::Elementwise) continue;
            if (const int found = reduction_behind(input, space); found >= 0) return found;
        }
        return -1;
    }

    // One workgroup walks a row several times where several reductions, or a result along the row, follow each other: rows
    // must stay in a cache, and there must be enough of them. A single reduction has no limit.
    bool suits_rows(const Step& step) const {
        const auto is_reduction = [&](int member) { return nodes_[member].op->kind() == OpKind::Reduce; };
        const auto reductions = std::count_if(step.members.begin(), step.members.end(), is_reduction);
        if (reductions <= 1 && nodes_[step.result].spec.shape != step.space) return true;
        const std::int64_t rows = element_count(row_shape(step)), length = element_count(step.space) / std::max<std::int64_t>(rows, 1);
        return length <= longest_row && (rows >= fewest_rows || length <= short_row);
    }

    void add_generated(int i) {
        Step step;
        step.members = {i};
        step.result = i;
        step.space = nodes_[i].spec.shape;
        if (nodes_[i].op->kind() == OpKind::Reduce) {
            step.space = nodes_[nodes_[i].inputs[0]].spec.shape;
            step.axes = static_cast<const ReduceOp&>(*nodes_[i].op).axes();
        }
        assign(std::move(step));
    }

    void assign(Step step) {
        for (const int member : step.members) nodes_[member].step = static_cast<int>(program_.steps.size());
        program_.steps.push_back(std::move(step));
    }

    // --- operands ---

    // Nodes that the step reads from buffers, each once.
    std::vector<int> external_inputs(const Step& step) const {
        std::vector<int> result;
        for (const int member : step.members)
            for (const int input : nodes_[member].inputs)
                if (member_of(program_, step, input) < 0 && nodes_[input].root >= 0 && nodes_[input].scalar < 0 &&
                    std::find(result.begin(), result.end(), input) == result.end())
                    result.push_back(input);
        return result;
    }

    // What can only be pushed: addresses, numbers, and what the kernel itself wants. Other sizes and strides become literals of the text
    // where there is no room for them.
    std::size_t fixed_push_bytes(const Step& step) const {
        std::set<int> scalars;
        for (const int member : step.members) {
            if (nodes_[member].scalar >= 0) scalars.insert(nodes_[member].scalar);
            for (const int input : nodes_[member].inputs)
                if (nodes_[input].scalar >= 0) scalars.insert(nodes_[input].scalar);
        }
        std::size_t bytes = 8 + 8 * external_inputs(step).size() + 4 * scalars.size();
        if (step.core < 0) return bytes;
        const PlanNode& core = nodes_[step.core];
        bytes += 4 * core.kernel->push.size() + 4;   // one to align addresses behind it
        for (const Kernel::Input& input : core.kernel->inputs)
            if (input.order.empty()) bytes += 4 * nodes_[core.inputs[input.index]].spec.shape.size();
        for (const Prologue& prologue : step.prologues) bytes += prologue_push_bytes(program_, prologue);
        return bytes;
    }

    // An upper bound of what generate() will push.
    std::size_t push_bytes(const Step& step) const {
        std::size_t bytes = fixed_push_bytes(step);
        const Order& order = nodes_[step.result].order;
        std::size_t strided = 0;
        for (const int input : external_inputs(step)) {
            const bool linear = step.axes.empty() && nodes_[input].view.is_dense(order) && nodes_[input].view.shape.size() == order.size();
            if (!linear) {
                bytes += 4 * nodes_[input].view.shape.size() + 4;
                ++strided;
            }
        }
        return bytes + 4 + 4 * (strided || !step.axes.empty() ? 1 + order.size() : 0);
    }

    void finish(Step& step) {
        if (step.core >= 0 && step.kind == Step::Generated) {   // add_parts() did
            if (runs_on_host(step)) step.kind = Step::Host;
            return;
        }
        const PlanNode& result = nodes_[step.result];
        step.write = {step.result, step.core >= 0 ? nodes_[step.core].view : result.view, result.spec.dtype, {}};
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
                const auto prologue = std::find_if(step.prologues.begin(), step.prologues.end(), [&](const Prologue& one) { return one.node == node; });
                if (prologue != step.prologues.end()) {
                    step.reads.push_back(carrier_operand(program_, step, *prologue));
                    read_nodes.push_back(-1);
                    continue;
                }
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
            if (step.kind == Step::Host && step.core >= 0) view = for_host(step, view);
            else if (step.kind == Step::Host && view.is_dense(result.order)) view.strides = result.view.strides;
        }
        for (const Prologue& prologue : step.prologues)
            for (const int node : prologue_inputs(program_, prologue)) step.reads.push_back(operand(node, {}));
        for (PostOp& post : step.post_ops)
            if (post.operand >= 0)
                post.operand = static_cast<int>(std::find(read_nodes.begin(), read_nodes.end(), post.operand) - read_nodes.begin());
        if (runs_on_host(step)) step.kind = Step::Host;
    }

    // What host_operand() lets pass, in the shape that the host kernel's result has.
    View for_host(const Step& step, const View& view) const {
        const PlanNode &core = nodes_[step.core], &result = nodes_[step.result];
        if (view.is_dense(result.order)) return {view.offset, core.view.shape, core.view.strides};
        if (core.spec.shape == result.spec.shape) return view;
        View vector{view.offset, Shape(core.spec.shape.size(), 1), Shape(core.spec.shape.size(), 0)};
        vector.shape[core.order.back()] = view.shape[result.order.back()];
        vector.strides[core.order.back()] = 1;
        return vector;
    }

    // Whether the host's interpreter takes a generated step: floats only, ops that have vector functions.
    bool runs_on_host(const Step& step) const {
        if (step.kind != Step::Generated || !program_.traits.host_kernels) return false;
        for (const Operand& operand : step.reads)
            if (operand.dtype != Dtype::F32 || operand.blocks || element_count(operand.view.shape) == 0) return false;
        if (step.write.dtype != Dtype::F32 || element_count(step.write.view.shape) == 0) return false;
        return step.core >= 0 || has_host_members(step);   // the former: a copy into its place
    }
    bool has_host_members(const Step& step) const {
        for (const int member : step.members) {
            const PlanNode& node = nodes_[member];
            if (node.spec.dtype != Dtype::F32 && node.spec.dtype != Dtype::Bool) return false;
            if (node.scalar >= 0) continue;
            const auto* elementwise = dynamic_cast<const ElementwiseOp*>(node.op.get());
            const auto* reduction = dynamic_cast<const ReduceOp*>(node.op.get());
            if (!(elementwise && elementwise->vector()) && !(reduction && reduction->vector() && reduction->fold())) return false;
            for (const int input : node.inputs)
                if (nodes_[input].spec.dtype != Dtype::F32 && nodes_[input].spec.dtype != Dtype::Bool) return false;
        }
        return true;
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

// Whether `node` is a free view of all of `of` with axes of length 1 repeated.
bool is_repetition(const Program& program, int node, int of) {
    const PlanNode &view = program.nodes[node], &from = program.nodes[of];
    if (view.root != of || node == of || from.root != of || view.view.offset != 0 || view.spec.shape.size() != from.spec.shape.size())
        return false;
    for (std::size_t axis = 0; axis < from.spec.shape.size(); ++axis) {
        const std::int64_t length = view.spec.shape[axis], given = from.spec.shape[axis];
        if (length != given && given != 1) return false;
        if (length > 1 && view.view.strides[axis] != (given == 1 ? 0 : from.view.strides[axis])) return false;
    }
    return true;
}

// Whether `node` is a free view of all elements of `of`, each once.
bool is_reshaped(const Program& program, int node, int of) {
    const PlanNode &view = program.nodes[node], &from = program.nodes[of];
    if (view.root != of || node == of || from.root != of || view.view.offset != 0 || element_count(view.spec.shape) != element_count(from.spec.shape)) return false;
    for (std::size_t axis = 0; axis < view.view.shape.size(); ++axis)
        if (view.view.shape[axis] > 1 && view.view.strides[axis] == 0) return false;
    return true;
}

}  // namespace

int member_of(const Program& program, const Step& step, int node) {
    for (const int member : step.members)
        if (member == node || is_repetition(program, node, member) || (member == step.core && is_reshaped(program, node, member))) return member;
    return -1;
}

void fuse(Program& program) {
    const Span span("pass", "fuse");
    Fuser(program).run();
}

}  // namespace gpu
