// Reverse-mode differentiation: a walk over the tensor graph that asks each op for its vjp. The result is more tensor
// graph; nothing is computed here. Tensors that already have a value are leaves: build gradients before evaluating.
#pragma once

#include <functional>

#include "gpu/graph/tensor.h"

namespace gpu {

// d loss / d w for each of `wrt`, leaves or tensors on the way to the loss; zeros where the loss does not depend on it.
// `loss` has one element. `seed` is its cotangent: a loss scale, or 1 over the number of micro-batches.
Tensors gradients(const Tensor& loss, const Tensors& wrt, double seed = 1);

// Vector-Jacobian product: the cotangents of `wrt` given `dy`, the cotangent of `y`, as if `wrt` were leaves: what reaches
// one of them through another one is not counted. Zeros where y does not depend on it.
Tensors cotangents(const Tensor& y, const Tensor& dy, const Tensors& wrt);

// The same for an op's inputs, as Op::vjp returns them: empty where there is none, and once where an input occurs twice.
Tensors input_cotangents(const Tensor& y, const Tensor& dy, const Tensors& inputs);

// --- tensors whose value is another's, and that change how cotangents pass; they cost nothing to compute ---

// x as a constant: no cotangent passes.
Tensor stop_gradient(const Tensor& x);
// The value of `value`, the cotangent passed unchanged to `like` (straight-through, arXiv:1308.3432): rounding and code
// books that train. Both of one shape and dtype.
Tensor straight_through(const Tensor& value, const Tensor& like);
// The value of `value`, which was computed from `inputs` in any way; `vjp` gives the cotangents of `inputs`, one each, an
// empty Tensor where there is none.
using Vjp = std::function<Tensors(const Tensors& inputs, const Tensor& value, const Tensor& dy)>;
Tensor with_vjp(const Tensor& value, const Tensors& inputs, Vjp vjp);

// --- memory ---

// f(inputs), of which the backward pass keeps the inputs only: it computes the block a second time, once the cotangent of
// its result is there (arXiv:1604.06174). Tensors that f captures (weights, an embedding computed outside) get their
// gradients too, and are kept. Gradients are those of f(inputs), bit for bit, where kernels are deterministic.
Tensor checkpoint(const std::function<Tensor(const Tensors&)>& f, const Tensors& inputs);

// x, known to the tensor graph as another tensor, and not available before `after` is: what is computed from the one is
// never merged with what is computed from the other.
Tensor barrier(const Tensor& x, const Tensor& after);

// `y` computed with to[i] in the place of from[i]. Only what depends on `from` is built anew.
Tensor substitute(const Tensor& y, const Tensors& from, const Tensors& to);

}  // namespace gpu
