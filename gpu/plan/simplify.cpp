// Constants pass through movement (a broadcast constant is the constant), and nodes that nobody reads are dropped.
#include "gpu/base/span.h"
#include "gpu/plan/program.h"

namespace gpu {
namespace {

void fold_constants(Program& program) {
    for (PlanNode& node : program.nodes) {
        const auto* movement = node.op ? dynamic_cast<const MovementOp*>(node.op.get()) : nullptr;
        if (!movement || movement->fills()) continue;
        const PlanNode& input = program.nodes[node.inputs[0]];
        if (input.scalar < 0) continue;
        node.scalar = input.scalar;
        node.op = input.op;
        node.inputs.clear();
    }
}

void drop_unused(Program& program) {
    std::vector<bool> used(program.nodes.size(), false);
    for (std::size_t i = program.nodes.size(); i-- > 0;) {
        if (program.nodes[i].output) used[i] = true;
        if (used[i])
            for (const int input : program.nodes[i].inputs) used[input] = true;
    }
    std::vector<int> moved(program.nodes.size(), -1);
    std::vector<PlanNode> kept;
    for (std::size_t i = 0; i < program.nodes.size(); ++i) {
        if (!used[i]) continue;
        moved[i] = static_cast<int>(kept.size());
        kept.push_back(std::move(program.nodes[i]));
        for (int& input : kept.back().inputs) input = moved[input];
    }
    program.nodes = std::move(kept);
    for (int& output : program.outputs) output = moved[output];
}

}  // namespace

void simplify(Program& program) {
    const Span span("pass", "simplify");
    fold_constants(program);
    drop_unused(program);
}

}  // namespace gpu
