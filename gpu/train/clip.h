// What is done to gradients before an optimiser sees them. Gradients are F32 tensors of any shapes.
#pragma once

#include "gpu/graph/tensor.h"

namespace gpu::train {

// Sum of the squares of all elements, [1].
Tensor sum_of_squares(const Tensor& x);
// The L2 norm of all gradients taken together, [1].
Tensor global_norm(const Tensors& gradients);
// min(1, max_norm / (norm + 1e-6)), [1]: what gradients of that norm are multiplied by, as in torch.nn.utils.clip_grad_norm_.
Tensor clip_factor(const Tensor& norm, double max_norm);
Tensors clip_by_norm(const Tensors& gradients, const Tensor& norm, double max_norm);
// Every element clamped to [-limit, limit].
Tensors clip_by_value(const Tensors& gradients, double limit);

// x with the one element of `factor` [1] in every place.
Tensor scaled(const Tensor& x, const Tensor& factor);

// The value of x, an elementwise result that several updates read, by a node of its own: each then computes it as it goes,
// where one node for all would be stored and read back. `reader` is a tensor that only this update reads.
Tensor computed_for(const Tensor& x, const Tensor& reader);

}  // namespace gpu::train
