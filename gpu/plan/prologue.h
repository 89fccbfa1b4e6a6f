// What a kernel computes as it loads an input: an elementwise chain that nobody else reads, so that its result is never written.
#pragma once

#include <optional>
#include <vector>

#include "gpu/plan/program.h"
#include "gpu/plan/walk.h"

namespace gpu {

struct PrologueInStep {
    int step = -1;
    Prologue prologue;
};

// The longest chain that ends in the elementwise `node` and that a kernel's step can compute as it loads; none where `node` has
// other readers, where the layouts do not allow it, or where computing an element at each of its loads would cost more than
// writing it once and reading it back.
std::optional<PrologueInStep> find_prologue(const Program& program, const std::vector<std::vector<int>>& users, int node);

// Nodes that the chain reads from buffers, each once, the carrier left out.
std::vector<int> prologue_inputs(const Program& program, const Prologue& prologue);

// The carrier and prologue_inputs() walked together over the chain's index space.
Walk prologue_walk(const Program& program, const Prologue& prologue, const std::vector<int>& inputs);

// Addresses and numbers that the chain adds to the push block, where sizes and strides are literals.
std::size_t prologue_push_bytes(const Program& program, const Prologue& prologue);

}  // namespace gpu
