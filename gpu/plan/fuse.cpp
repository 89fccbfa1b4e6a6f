// Groups nodes into steps. A kernel op takes the elementwise nodes that only its result feeds (epilogue.h) and those that only feed it
// (prologue.h); elementwise chains and reductions over the same axes of one index space become one generated kernel (softmax,
// norms). A node joins a step when all its readers are in it.
#include <algorithm>

#include "gpu/base/span.h"
#include "gpu/plan/epilogue.h"
#include "gpu/plan/program.h"
#include "gpu/plan/prologue.h"
#include "gpu/plan/step_inputs.h"

namespace gpu {
namespace {

// Elements of rows that are walked more than once, and how many rows there should be unless they are short.
constexpr std::int64_t longest_row = 65536, short_row = 8192, fewest_rows = 16;

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

    // --- kernels with their epilogues ---

    void add_kernel(int i) {
        Step step;
        step.core = i;
        step.kind = nodes_[i].on_host ? Step::Host : nodes_[i].kernel->recorder.empty() ? Step::Shader : Step::Recorded;
        step.members = {i};
        if (!nodes_[i].kernel->parts.empty()) return add_parts(i);
        if (program_.fuse && nodes_[i].kernel->epilogue) step.members = find_epilogue(program_, users_, i);
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

    // --- what a kernel computes as it loads ---

    bool precede(int i) {
        const auto found = find_prologue(program_, users_, i);
        if (!found) return false;
        Step& step = program_.steps[found->step];
        step.prologues.push_back(found->prologue);
        if (fixed_push_bytes(program_, step) > program_.traits.max_push_bytes) return step.prologues.pop_back(), false;
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
        return push_bytes(program_, step) <= most || (fixed_push_bytes(program_, step) <= most && (!step.axes.empty() || suits_host(step)));
    }
    bool suits_host(const Step& step) const {
        if (!program_.traits.host_kernels || !has_host_members(step)) return false;
        const std::vector<int> inputs = external_inputs(program_, step);
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
        if (!is_elementwise(node)) return false;
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
                    step.reads.push_back(prologue->read);
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
            if (core.on_host) post_operations(program_, step);
        }
        for (const int node : external_inputs(program_, step)) {
            const bool core_only = step.core >= 0 && !read_by_epilogue(step, node);
            if (core_only) continue;
            read_nodes.push_back(node);
            step.reads.push_back(operand(node, {}));
            View& view = step.reads.back().view;
            if (step.kind == Step::Host && step.core >= 0) view = host_view(program_, step, view);
            else if (step.kind == Step::Host && view.is_dense(result.order)) view.strides = result.view.strides;
        }
        for (const Prologue& prologue : step.prologues)
            for (const int node : prologue_inputs(program_, prologue)) step.reads.push_back(operand(node, {}));
        for (PostOp& post : step.post_ops)
            if (post.operand >= 0)
                post.operand = static_cast<int>(std::find(read_nodes.begin(), read_nodes.end(), post.operand) - read_nodes.begin());
        if (runs_on_host(step)) step.kind = Step::Host;
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

}  // namespace

void fuse(Program& program) {
    const Span span("pass", "fuse");
    Fuser(program).run();
}

}  // namespace gpu
