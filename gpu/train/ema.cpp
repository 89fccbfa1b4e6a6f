#include "gpu/train/ema.h"

#include <algorithm>
#include <cmath>

#include "gpu/ops.h"
#include "gpu/train/number.h"

namespace gpu::train {

double ema_decay(const EmaOptions& o, std::int64_t step) {
    if (!o.warmup) return o.decay;
    const auto t = static_cast<double>(step);
    const double ramp = o.power > 0 ? 1 - std::pow(1 + t / o.inv_gamma, -o.power) : (1 + t) / (10 + t);
    return std::min(o.decay, ramp);
}

Tensor next_ema(const Tensor& average, const Tensor& parameter, const EmaOptions& options, std::int64_t step) {
    return average + (parameter - average) * number("ema.share", 1 - ema_decay(options, step), average.rank());
}

}  // namespace gpu::train
