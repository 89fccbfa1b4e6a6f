// Where the windows of a convolution lie: known to its ops, to the kernels that compute them and to benches.
#pragma once

#include "gpu/graph/attrs.h"
#include "gpu/graph/shape.h"

namespace gpu {

// How a window walks over a map of 1 to 3 spatial axes. Lists have one number for each, outermost first.
struct ConvGeometry {
    Shape stride, before, after, dilation;   // before, after: zeros around the map
    std::int64_t groups = 1;

    std::size_t rank() const { return stride.size(); }
    // Length along one spatial axis that a window of `kernel` leaves of `input`; below 1 where it does not fit.
    std::int64_t output(std::size_t axis, std::int64_t input, std::int64_t kernel) const;
    Attrs attrs() const;
    // For host kernels.
    std::vector<std::int64_t> params() const;
    static ConvGeometry from_params(const std::vector<std::int64_t>& params);
};

// The lengths of the spatial axes of a map or a weight.
Shape spatial(const Shape& shape);

}  // namespace gpu
