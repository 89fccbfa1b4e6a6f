// Dynamic loss scaling for 16-bit training (arXiv:1710.03740): the loss is multiplied, gradients are divided again; a step
// with gradients that are not finite is skipped and halves the scale, `growth_interval` good steps in a row double it.
#pragma once

#include "gpu/graph/tensor.h"

namespace gpu::train {

struct LossScaleOptions {
    double start = 65536;
    double growth = 2, backoff = 0.5;
    int growth_interval = 2000;
    double least = 1, most = 16777216;
};

// Both [1], F32; kept from step to step.
struct LossScale {
    Tensor scale;
    Tensor good_steps;
};

LossScale start_loss_scale(const LossScaleOptions& options);
// `finite` is a Bool [1]: whether this step's gradients were.
LossScale next_loss_scale(const LossScale& old, const Tensor& finite, const LossScaleOptions& options);

}  // namespace gpu::train
