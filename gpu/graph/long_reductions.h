// Reductions of few long rows keep few of a GPU's cores busy: they become two, one after the other.
#pragma once

#include "gpu/graph/kernel.h"
#include "gpu/graph/tensor.h"

namespace gpu {

// The same value by two reductions, the first of which leaves part of the reduced elements; an empty Tensor where one reduction
// serves: there are rows enough, the rows are short, or no length can be cut into equal parts. What is combined with what
// depends on the shape alone, so the result is the same in every run.
Tensor in_two_steps(const Tensor& reduction, const DeviceTraits& traits);

}  // namespace gpu
