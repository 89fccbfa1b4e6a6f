#include "gpu/plan/step_inputs.h"

#include <algorithm>

#include "gpu/plan/prologue.h"

namespace gpu {

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

bool is_reshaped(const Program& program, int node, int of) {
    const PlanNode &view = program.nodes[node], &from = program.nodes[of];
    if (view.root != of || node == of || from.root != of || view.view.offset != 0 || element_count(view.spec.shape) != element_count(from.spec.shape)) return false;
    for (std::size_t axis = 0; axis < view.view.shape.size(); ++axis)
        if (view.view.shape[axis] > 1 && view.view.strides[axis] == 0) return false;
    return true;
}

int member_of(const Program& program, const Step& step, int node) {
    for (const int member : step.members)
        if (member == node || is_repetition(program, node, member) || (member == step.core && is_reshaped(program, node, member))) return member;
    return -1;
}

std::vector<int> external_inputs(const Program& program, const Step& step) {
    std::vector<int> result;
    for (const int member : step.members)
        for (const int input : program.nodes[member].inputs)
            if (member_of(program, step, input) < 0 && program.nodes[input].root >= 0 && program.nodes[input].scalar < 0 &&
                std::find(result.begin(), result.end(), input) == result.end())
                result.push_back(input);
    return result;
}

std::set<int> scalars_of(const Program& program, const std::vector<int>& members) {
    std::set<int> scalars;
    for (const int member : members) {
        if (program.nodes[member].scalar >= 0) scalars.insert(program.nodes[member].scalar);
        for (const int input : program.nodes[member].inputs)
            if (program.nodes[input].scalar >= 0) scalars.insert(program.nodes[input].scalar);
    }
    return scalars;
}

std::size_t fixed_push_bytes(const Program& program, const Step& step) {
    std::size_t bytes = 8 + 8 * external_inputs(program, step).size() + 4 * scalars_of(program, step.members).size();
    if (step.core < 0) return bytes;
    const PlanNode& core = program.nodes[step.core];
    bytes += 4 * core.kernel->push.size() + 4;   // one to align addresses behind it
    for (const Kernel::Input& input : core.kernel->inputs)
        if (input.order.empty()) bytes += 4 * program.nodes[core.inputs[input.index]].spec.shape.size();
    for (const Prologue& prologue : step.prologues) bytes += prologue_push_bytes(program, prologue);
    return bytes;
}

std::size_t push_bytes(const Program& program, const Step& step) {
    std::size_t bytes = fixed_push_bytes(program, step);
    const Order& order = program.nodes[step.result].order;
    std::size_t strided = 0;
    for (const int input : external_inputs(program, step)) {
        const bool linear = step.axes.empty() && program.nodes[input].view.is_dense(order) && program.nodes[input].view.shape.size() == order.size();
        if (!linear) {
            bytes += 4 * program.nodes[input].view.shape.size() + 4;
            ++strided;
        }
    }
    return bytes + 4 + 4 * (strided || !step.axes.empty() ? 1 + order.size() : 0);
}

}  // namespace gpu
