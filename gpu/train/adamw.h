// The step of AdamW, shared by the two that differ in how they keep the moments.
#pragma once

#include "gpu/train/optimiser.h"

namespace gpu::train {

struct Moments {
    Tensor first, second;
};

Moments adam_moments(const Moments& old, const Tensor& gradient, const AdamWOptions& options);
// The parameter after a step with these new moments.
Tensor adam_step(const Tensor& parameter, const Moments& moments, const AdamWOptions& options, const StepNumbers& numbers,
                 const ParameterRates& rates);

}  // namespace gpu::train
