// The cells of a sweep in this process: one after another, or with several devices as many at once, each on a device of its own.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "app/cli/cells.h"

namespace app {

// Tells each cell that is over by `finished`, one call at a time and in the order of the cells, whichever was done first. What cells share is computed once.
// False where the run was cancelled: cells behind the first cancelled one are not told. Throws what run_cell() throws, when no other cell runs any more.
bool run_cells(std::vector<Cell>& cells, const nodes::RunOptions& options, const std::function<void(std::size_t)>& finished);

}  // namespace app
