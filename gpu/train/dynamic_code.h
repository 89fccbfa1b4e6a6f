// Block-wise dynamic 8-bit codes of "8-bit Optimizers via Block-wise Quantization" (arXiv:2110.02861): each block of a
// flat tensor is divided by its largest magnitude and every element takes the nearest of 256 values. Decades from 1e-6 to
// 1 hold 1, 2, 4, ... 64 values each (twice as many without a sign), so that small numbers keep their relative precision.
#pragma once

#include "gpu/graph/tensor.h"

namespace gpu::train {

struct DynamicCodes {
    Tensor codes;    // U8 [blocks, block]
    Tensor scales;   // F32 [blocks, 1]
};

// `x` [blocks, block], F32; not negative unless `with_sign`.
DynamicCodes encode(const Tensor& x, bool with_sign);
Tensor decode(const DynamicCodes& coded, bool with_sign);

}  // namespace gpu::train
