// Nearest rows of a codebook.
#include "gpu/base/error.h"
#include "gpu/graph/autodiff.h"
#include "gpu/graph/shown.h"
#include "gpu/ops.h"

namespace gpu {

Quantised vector_quantise(const Tensor& x, const Tensor& codebook) {
    check(x.rank() > 0 && codebook.rank() == 2 && codebook.size(0) > 0 && x.size(-1) == codebook.size(1), ErrorCode::InvalidGraph,
          "vector_quantise: expected x [..., D] and a codebook [K, D], got {} and {}", shown(x.spec()), shown(codebook.spec()));
    const Shape ids_shape(x.shape().begin(), x.shape().end() - 1);
    const Tensor points = reshape(x, {element_count(ids_shape), x.size(-1)});
    // |x - e|^2 without |x|^2, which is the same for all rows.
    const Tensor distance = reshape(sum(square(codebook), {1}), {1, codebook.size(0)}) - 2.0 * matmul(points, transpose(codebook, 0, 1));
    const Tensor ids = reshape(argmin(distance, 1, false), ids_shape);
    const Tensor rows = embedding(codebook, ids);
    return {straight_through(rows, x), rows, ids};
}

}  // namespace gpu
