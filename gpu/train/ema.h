// Exponential moving average of parameters, as diffusion models are sampled with.
#pragma once

#include <cstdint>

#include "gpu/graph/tensor.h"

namespace gpu::train {

struct EmaOptions {
    double decay = 0;               // 0: no average is kept
    // Warm-up: the decay of step t (from 1) is at most (1 + t) / (10 + t), or 1 - (1 + t / inv_gamma)^-power where power is set.
    bool warmup = true;
    double inv_gamma = 1, power = 0;
};

// The decay of step `step`, counted from 1.
double ema_decay(const EmaOptions& options, std::int64_t step);
// The average after `parameter` became new.
Tensor next_ema(const Tensor& average, const Tensor& parameter, const EmaOptions& options, std::int64_t step);

}  // namespace gpu::train
