// What of vector_math.h the compiler does not make good vectors of by itself: the curves of activations, and reductions; attention uses them too.
// Explicit vectors of the processor's own size; results of curves have relative errors of 2e-7 or so and may take the place of an input. Sums are
// those of 64 parts, whatever the vectors.
#pragma once

#include "gpu/graph/vector_math.h"

namespace gpu {

struct VectorKernels {
    VectorFunction exp, sigmoid, tanh, erf;
    VectorFunction swish;                              // x (1 / (1 + e^-x))
    VectorFunction swish_of_sub_mul, swish_of_mul_add; // of (x - y) z and x y + z, all arrays: what ends a norm
    VectorFunction exp_of_difference;                  // e^(x - y), of one y
    VectorSum exp_of_difference_sum;
    VectorFold sum, squares, maximum;                  // squares: their sum
};

// In vectors of 16, 8 or 4 floats, no more than vector_lanes().
const VectorKernels& vector_kernels_of(int lanes);
const VectorKernels& vector_kernels();

}  // namespace gpu
