// Reverse-mode differentiation: a walk over the tensor graph that asks each op for its vjp. The result is more tensor
// graph; nothing is computed here. Tensors that already have a value are leaves: build gradients before evaluating.
#pragma once

#include "gpu/graph/tensor.h"

namespace gpu {

// d loss / d w for each of `wrt`; zeros where the loss does not depend on it. `loss` has one element.
Tensors gradients(const Tensor& loss, const Tensors& wrt);

// Vector-Jacobian product: the cotangents of `wrt` given `dy`, the cotangent of `y`. The walk stops at `wrt`.
Tensors cotangents(const Tensor& y, const Tensor& dy, const Tensors& wrt);

}  // namespace gpu
