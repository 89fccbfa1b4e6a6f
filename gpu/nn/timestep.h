// The sinusoidal embedding of a diffusion timestep (Vaswani et al. 2017, as DDPM uses it).
#pragma once

#include "gpu/graph/tensor.h"

namespace gpu::nn {

struct TimestepOptions {
    bool cosine_first = true;      // [cos, sin], as Stable Diffusion has it; LCM's guidance embedding has [sin, cos]
    double max_period = 10000;
    double shift = 0;              // frequency i is max_period^(-i / (dim / 2 - shift)); LCM's embedding has 1
};

// t [N], of any numbers -> F32 [N, dim]; an odd dim ends with a column of zeros.
Tensor timestep_embedding(const Tensor& t, std::int64_t dim, const TimestepOptions& options = {});

}  // namespace gpu::nn
