// What a step reads, and what it has to push for that.
#pragma once

#include <set>
#include <vector>

#include "gpu/plan/program.h"

namespace gpu {

inline bool is_elementwise(const PlanNode& node) { return node.op && node.op->kind() == OpKind::Elementwise && node.scalar < 0; }

// Whether `node` is a free view of all of `of` with axes of length 1 repeated.
bool is_repetition(const Program& program, int node, int of);
// Whether `node` is a free view of all elements of `of`, each once.
bool is_reshaped(const Program& program, int node, int of);

// Nodes that the step's members read from buffers, each once (those of prologues are not members).
std::vector<int> external_inputs(const Program& program, const Step& step);

// The numbers that these nodes are or read, by their index.
std::set<int> scalars_of(const Program& program, const std::vector<int>& members);

// What can only be pushed: addresses, numbers, and what the kernel itself wants. Other sizes and strides become literals of the text
// where there is no room for them.
std::size_t fixed_push_bytes(const Program& program, const Step& step);
// An upper bound of what generate() will push for a generated kernel.
std::size_t push_bytes(const Program& program, const Step& step);

}  // namespace gpu
