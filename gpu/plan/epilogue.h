// What follows a kernel and is done as it writes its results: elementwise nodes over the same elements, in another shape perhaps.
#pragma once

#include <vector>

#include "gpu/plan/program.h"

namespace gpu {

// The kernel op `core` and the longest closed region from it on: elementwise nodes of its elements, of which only the last is read outside.
// Where a host kernel computes the core, only what post_operations() takes.
std::vector<int> find_epilogue(const Program& program, const std::vector<std::vector<int>>& users, int core);

// Whether a host kernel can do the step's members behind the core as it writes its result: a chain on the running value. Fills
// Step::post_ops, whose operands are nodes then.
bool post_operations(const Program& program, Step& step);

// The view of such an operand, in the shape that the host kernel's result has.
View host_view(const Program& program, const Step& step, const View& view);

}  // namespace gpu
