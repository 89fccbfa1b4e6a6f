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
    std::vector<std::vector<std::size_t>> written(program.steps.size());     // per step: the nodes of the arena that it is the first to write
    for (std::size_t n = 0; n < program.nodes.size(); ++n)
        if (const Placement& place = program.placements[n]; place.kind == Placement::Arena && place.first >= 0) written[static_cast<std::size_t>(place.first)].push_back(n);
    std::vector<std::size_t> alive;      // written by earlier steps, read by later ones
    for (std::size_t s = 0; s < program.steps.size(); ++s) {
        std::erase_if(alive, [&](std::size_t n) { return program.placements[n].last <= static_cast<int>(s); });
        const auto result = static_cast<std::size_t>(program.steps[s].result);
        if (const Placement& target = program.placements[result]; target.kind == Placement::Arena) {
            demand(target.offset + target.size <= program.arena_bytes, pass, "step {} writes past the arena", s);
            for (const std::size_t n : alive) {
                const Placement& other = program.placements[n];
                const bool overlap = n != result && other.offset < target.offset + target.size && target.offset < other.offset + other.size;
                demand(!overlap, pass, "step {} writes over node {}, which is read later", s, n);
            }
        }
        alive.insert(alive.end(), written[s].begin(), written[s].end());
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
