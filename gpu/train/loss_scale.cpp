#include "gpu/train/loss_scale.h"

#include "gpu/ops.h"

namespace gpu::train {

LossScale start_loss_scale(const LossScaleOptions& options) { return {full({1}, options.start), zeros({1})}; }

LossScale next_loss_scale(const LossScale& old, const Tensor& finite, const LossScaleOptions& o) {
    const Tensor good = old.good_steps + 1.0;
    const Tensor grows = less_equal(full({1}, o.growth_interval), good);
    const Tensor after_good = where(grows, minimum(old.scale * o.growth, o.most), old.scale);
    return {where(finite, after_good, maximum(old.scale * o.backoff, o.least)),
            where(finite, where(grows, zeros({1}), good), zeros({1}))};
}

}  // namespace gpu::train
