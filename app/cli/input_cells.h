// From rows of values to runs: everything that is wrong with any row, before the first one runs.
#pragma once

#include <vector>

#include "app/cli/cells.h"
#include "app/cli/input_rows.h"

namespace app {

// A cell for each row: the graph with the row's values, then --set on top. Throws one gpu::Error that lists all problems
// with row and column: Usage for unknown parameters and values that do not fit, InvalidGraph where the graph is not valid
// with them, MissingFile for input files that are not there.
std::vector<Cell> cells_of(const InputRows& inputs, const RunSetup& setup);

}  // namespace app
