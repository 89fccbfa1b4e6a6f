// Winograd's convolutions F(4 x 4, 3 x 3) and F(2 x 2, 3 x 3) (Lavin and Gray, arXiv:1509.09308) and the former's gradients, on maps that lie
// channels last: 36 or 16 products of matrices with a quarter or four ninths of the multiplications.
#pragma once

#include "gpu/run/host/conv.h"

namespace gpu {

// The side of the tiles by which it is worth while, 4 or 2, or 0: windows of 3 x 3 without strides, or of 3-D maps k x 3 x 3, enough channels
// and pixels. `wide`: the weight has 32 bits; what few tiles gain is not worth a copy of several times the memory.
int winograd_side(const ConvProblem& problem, ConvPass pass, bool wide);

// Bytes of the transformed weight, which a call keeps with a leaf.
std::uint64_t winograd_weight_bytes(const ConvProblem& problem, int side);

// Runs the call, of F32 maps, as `pass`. False, and nothing is done, where it does not pay or a kept weight finds no room.
bool run_winograd(const HostCall& call, ConvPass pass);

}  // namespace gpu
