// Winograd's convolution F(4 x 4, 3 x 3) (Lavin and Gray, arXiv:1509.09308) and both its gradients, on maps that lie channels last: a quarter of
// the multiplications, as 36 products of matrices.
#pragma once

#include "gpu/run/host/conv.h"

namespace gpu {

// Whether it is worth while: windows of 3 x 3 without strides, or of 3-D maps k x 3 x 3, enough channels and pixels.
bool winograd_pays(const ConvProblem& problem, ConvPass pass);

// Bytes of the transformed weight, which a call keeps with a leaf.
std::uint64_t winograd_weight_bytes(const ConvProblem& problem);

// Runs the call, of F32 maps, as `pass`. False, and nothing is done, where it does not pay or a kept weight finds no room.
bool run_winograd(const HostCall& call, ConvPass pass);

}  // namespace gpu
