// The curves of activations over arrays, in vectors of the processor's own size: e^x, 1 / (1 + e^-x), x / (1 + e^-x), tanh, erf, and e^(x - y) of
// one y. Relative errors of 2e-7 or so. Results may take the place of their input.
#pragma once

#include "gpu/graph/op.h"

namespace gpu {

struct Curves {
    VectorFunction exp, exp_of_difference, sigmoid, swish, tanh, erf;
};

// In vectors of 16, 8 or 4 floats, no more than vector_lanes().
const Curves& curves_of(int lanes);
const Curves& curves();

}  // namespace gpu
