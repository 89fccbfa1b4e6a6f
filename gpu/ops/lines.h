// Ops along one axis see every tensor as lines: [outer, length, inner], the axis in the middle.
#pragma once

#include <string_view>

#include "gpu/graph/tensor.h"

namespace gpu {

// The axis from 0; throws Error{InvalidGraph} with the function's name where x has no such axis.
int line_axis(std::string_view function, const Tensor& x, int axis);
Tensor as_lines(const Tensor& x, int axis);
// Back: `shape` with the axis as long as the lines are.
Tensor from_lines(const Tensor& lines, Shape shape, int axis);

// The type in which a shader sums elements of such a tensor: "float" or "int".
const char* sum_type(Dtype dtype);

}  // namespace gpu
