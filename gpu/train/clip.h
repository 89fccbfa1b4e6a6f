// What is done to gradients before an optimiser sees them. Gradients are F32 tensors of any shapes.
#pragma once

#include "gpu/graph/tensor.h"

namespace gpu::train {

// Sum of the squares of all elements, [1].
Tensor sum_of_squares(const Tensor& x);
// The L2 norm of all gradients taken together, [1].
Tensor global_norm(const Tensors& gradients);
// Scaled by min(1, max_norm / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_ does. `norm` is their global_norm.
Tensors clip_by_norm(const Tensors& gradients, const Tensor& norm, double max_norm);
// Every element clamped to [-limit, limit].
Tensors clip_by_value(const Tensors& gradients, double limit);

// x with the one element of `factor` [1] in every place.
Tensor scaled(const Tensor& x, const Tensor& factor);

}  // namespace gpu::train
