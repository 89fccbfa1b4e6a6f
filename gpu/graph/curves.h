// The curves of activations over arrays, in vectors of the processor's own size. Relative errors of 2e-7 or so. Results may take the place of an
// input.
#pragma once

#include "gpu/graph/vector_math.h"

namespace gpu {

struct Curves {
    VectorFunction exp, sigmoid, tanh, erf;
    VectorFunction swish;                              // x / (1 + e^-x)
    VectorFunction swish_of_sub_mul, swish_of_mul_add; // of (x - y) z and x y + z, all arrays: what ends a norm
    VectorFunction exp_of_difference;                  // e^(x - y), of one y
    VectorSum exp_of_difference_sum;
};

// In vectors of 16, 8 or 4 floats, no more than vector_lanes().
const Curves& curves_of(int lanes);
const Curves& curves();

}  // namespace gpu
