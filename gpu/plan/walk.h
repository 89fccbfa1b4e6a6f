// Several views walked together over one index space.
#pragma once

#include <vector>

#include "gpu/graph/op.h"

namespace gpu {

// Neighbouring axes are merged wherever every view allows it.
struct Walk {
    Shape sizes;                  // outermost first
    std::vector<Shape> strides;   // per view
    bool linear(std::size_t view) const;   // the view's index is the linear index itself
};

// Walks `axes` (outermost first) of `shape`; axes of length 1 are left out.
Walk merge(const Shape& shape, const std::vector<const View*>& views, const std::vector<int>& axes);

}  // namespace gpu
