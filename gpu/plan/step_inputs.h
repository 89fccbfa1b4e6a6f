// What a step reads, and what it has to push for that.
#pragma once

#include <vector>

#include "gpu/plan/program.h"

namespace gpu {

// Whether `node` is a free view of all of `of` with axes of length 1 repeated.
bool is_repetition(const Program& program, int node, int of);
// Whether `node` is a free view of all elements of `of`, each once.
bool is_reshaped(const Program& program, int node, int of);

// Nodes that the step's members read from buffers, each once (those of prologues are not members).
std::vector<int> external_inputs(const Program& program, const Step& step);

// What can only be pushed: addresses, numbers, and what the kernel itself wants. Other sizes and strides become literals of the text
// where there is no room for them.
std::size_t fixed_push_bytes(const Program& program, const Step& step);
// An upper bound of what generate() will push for a generated kernel.
std::size_t push_bytes(const Program& program, const Step& step);

}  // namespace gpu
