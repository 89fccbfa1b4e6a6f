// The slow, exact twin of the runtime: values in double precision, one element at a time, straight from the definitions.
// Tests and HEDDLE_CHECK=oracle compare with it; up to about a million elements it is quick enough.
#pragma once

#include <vector>

#include "gpu/graph/tensor.h"

namespace gpu {

class Op;

// Row-major values of a tensor, computed from the leaves (and values that are there already).
std::vector<double> oracle(const Tensor& x);

// The value that `op` gives for these inputs; kernel ops through their composite.
std::vector<double> oracle_of(const Op& op, const Tensors& inputs);

// The elements of a storage, row-major, as doubles.
std::vector<double> read_doubles(const StorageRef& storage);

// |a - b| / |b| in L2; |a - b| where b is zero.
double relative_error(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace gpu
