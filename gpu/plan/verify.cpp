// What must hold after each pass. A violation is a mistake of the planner, never of its user.
#include <algorithm>

#include "gpu/base/error.h"
#include "gpu/plan/program.h"

namespace gpu {
namespace {

template <typename... Args>
void demand(bool condition, const std::string& pass, std::string_view text, const Args&... args) {
    // The text is made for a failure only: some conditions are asked tens of millions of times.
    if (!condition) throw Error(ErrorCode::Failure, "plan after {}: {}", pass, format(text, args...));
}

void verify_nodes(const Program& program, const std::string& pass) {
    for (std::size_t i = 0; i < program.nodes.size(); ++i) {
        const PlanNode& node = program.nodes[i];
        for (const int input : node.inputs) demand(input >= 0 && input < static_cast<int>(i), pass, "node {} reads node {}", i, input);
        demand(node.op || node.leaf >= 0, pass, "node {} has neither op nor leaf", i);
        demand(node.leaf < static_cast<int>(program.leaves.size()), pass, "node {} has no leaf {}", i, node.leaf);
    }
}

void verify_steps(const Program& program, const std::string& pass) {
    std::vector<bool> done(program.nodes.size(), false);
    for (std::size_t i = 0; i < program.nodes.size(); ++i) done[i] = program.nodes[i].leaf >= 0;
    for (std::size_t s = 0; s < program.steps.size(); ++s) {
        const Step& step = program.steps[s];
        for (const Operand& read : step.reads)
            demand(read.root >= 0 && done[read.root], pass, "step {} reads node {} before it is computed", s, read.root);
        done[step.result] = true;
    }
    for (const int output : program.outputs)
        demand(program.nodes[output].root >= 0 && done[program.nodes[output].root], pass, "output {} is never computed", output);
}

void verify_memory(const Program& program, const std::string& pass) {
    for (std::size_t s = 0; s < program.steps.size(); ++s) {
        const Placement& target = program.placements[program.steps[s].result];
        if (target.kind != Placement::Arena) continue;
        demand(target.offset + target.size <= program.arena_bytes, pass, "step {} writes past the arena", s);
        // What another step still has to read must not lie under this result.
        for (std::size_t n = 0; n < program.nodes.size(); ++n) {
            const Placement& other = program.placements[n];
            const bool alive = static_cast<int>(n) != program.steps[s].result && other.kind == Placement::Arena && other.first < static_cast<int>(s) && other.last > static_cast<int>(s);
            const bool overlap = other.offset < target.offset + target.size && target.offset < other.offset + other.size;
            demand(!alive || !overlap, pass, "step {} writes over node {}, which is read later", s, n);
        }
    }
}

}  // namespace

void verify(const Program& program, const std::string& pass) {
    verify_nodes(program, pass);
    if (pass == "order" || pass == "memory" || pass == "generate") verify_steps(program, pass);
    if (pass == "memory" || pass == "generate") verify_memory(program, pass);
    if (pass == "generate")
        for (const Step& step : program.steps)
            demand(step.kind == Step::Host || push_size_of(step.push) <= program.traits.max_push_bytes, pass,
                   "step {} pushes too much", step.label);
}

}  // namespace gpu
