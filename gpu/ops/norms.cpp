// Norms over the last axis, composed of primitives: the planner makes one kernel of each, forward and backward, with what
// precedes and follows. group_norm has a kernel of its own, since its groups lie scattered in channels-last maps.
#include "gpu/ops.h"

namespace gpu {

// arXiv:1607.06450
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
    const Tensor centred = x - mean(x, {-1});
    Tensor y = centred * rsqrt(mean(square(centred), {-1}) + eps);
    if (weight) y = y * weight;
    if (bias) y = y + bias;
    return cast(y, x.dtype());
}

// arXiv:1910.07467
Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps) {
    const Tensor y = x * rsqrt(mean(square(x), {-1}) + eps);
    return cast(weight ? y * weight : y, x.dtype());
}

}  // namespace gpu
