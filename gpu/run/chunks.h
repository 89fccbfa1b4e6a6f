// Values between a graph's products that are too large to be kept whole: what computes them is done in chunks.
#pragma once

#include <cstdint>

#include "gpu/graph/tensor.h"

namespace gpu {

struct Chunked {
    Tensors outputs;            // in the order given; the same tensors where nothing could be done
    std::uint64_t largest = 0;  // bytes of the largest value that is no longer kept whole; 0: nothing was done
    std::int64_t chunks = 1;    // most of any value
};

// The same values from a graph in which products (matmul, convolution, attention) whose operand comes from a value of more than
// `large` bytes are computed by rows, queries or pictures, together with all that lies between them and smaller values, so that
// of such a value only a chunk of about `large` bytes is there at a time. Each element is computed from the same numbers as
// before, by the same kernels or by those for fewer rows.
Chunked in_chunks(const Tensors& outputs, std::uint64_t large);

}  // namespace gpu
