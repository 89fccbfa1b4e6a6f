// The gradient of a convolution in its weight as products of matrices, one for each tap of its window: for windows of one pixel, and for few pixels
// under many weights, where oneDNN spends more time on bringing the result into rows than on computing it.
#pragma once

#include "gpu/run/host/conv.h"

namespace gpu {

// Of F32 maps that lie channels last. False, and nothing is done, where other kernels serve better.
bool run_tap_products(const HostCall& call);

}  // namespace gpu
