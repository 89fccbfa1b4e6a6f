// How a generated step with reductions walks over each row: in passes, since what follows a reduction needs all of the row.
#pragma once

#include <vector>

#include "gpu/plan/program.h"

namespace gpu {

struct RowPass {
    std::vector<int> members;      // computed for every element of the row, in order; again in each pass that needs them
    std::vector<int> reductions;   // completed by this pass
    std::vector<int> after;        // members of the rows' shape that can be computed then
    bool stores = false;           // the result lies along the row: its elements are stored in this pass, the last
};

struct RowPasses {
    std::vector<int> before;       // members of the rows' shape that need no reduction
    std::vector<RowPass> passes;
};

// A step without reductions is one pass over one row.
RowPasses row_passes(const Program& program, const Step& step);

}  // namespace gpu
