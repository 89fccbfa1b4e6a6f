// The elementwise primitives and reductions over plain arrays of floats, vectorised for several generations of processors, most by the compiler, some
// in vector_kernels.h: what the host's interpreter of fused regions is made of.
#pragma once

#include <cstddef>
#include <string_view>

#include "gpu/graph/op.h"

namespace gpu {

// The function of a row of the primitive table; null for a name that has none. `singles` has bit k set where input k is one
// number for all elements, of which only in[k][0] is read; null where that form does not exist.
VectorFunction vector_function(std::string_view primitive, unsigned singles = 0);

// What `second` makes of the result of `first` and, where it takes two, the input of `first`, in one sweep and with the same bits: e^(x - y),
// x sigmoid(x), and that of what ends a norm. Takes the inputs of `first`; null for other pairs.
VectorFunction vector_pair(VectorFunction first, VectorFunction second);

// Two of addition, subtraction and multiplication in one sweep and with the same bits: (x + y) z.
struct VectorChain {
    VectorFunction function = nullptr;      // null for other functions
    bool swapped = false;                   // it takes the inputs of `first` the other way round, then what `second` takes beside its result
};
// `at`: which input of `second` is the result of `first`.
VectorChain vector_chain(VectorFunction first, VectorFunction second, std::size_t at);

// `total` plus (or the maximum with) `count` values, in a fixed order, for the reduction of this name; null where there is none.
using VectorFold = float (*)(float total, const float* x, std::size_t count);
VectorFold vector_fold(std::string_view reduction);

// The same of the squares of `count` values, without a place for them.
VectorFold fold_squares(std::string_view reduction);

// Computes `count` values as `function` does, and returns `total` plus their sum; null where there is no such form.
using VectorSum = float (*)(float total, const float* const* in, float* out, std::size_t count);
VectorSum vector_sum(VectorFunction function, std::string_view reduction);

// Adds `rows` rows of `count` values, `stride` apart, to the `count` totals, one row after the other; null where there is no
// such form for the reduction of this name.
using FoldRows = void (*)(float* total, const float* x, std::size_t stride, std::size_t rows, std::size_t count);
FoldRows fold_rows(std::string_view reduction);

// Of `rows` rows of `count` values, `stride` apart: adds x - shift and its square to `sum` and `squares`, each of `count` numbers.
void add_deviations(const float* x, std::size_t stride, std::size_t rows, std::size_t count, const float* shift, float* sum, float* squares);

}  // namespace gpu
