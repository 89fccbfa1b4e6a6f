// What a diffusion network predicts, and how each form gives the picture and the noise.
#pragma once

#include "gpu/graph/tensor.h"
#include "nodes/sampling/noise_table.h"

namespace nodes {

enum class PredictionType { Epsilon, V, Sample };     // e; v = signal e - noise x0 (arXiv:2202.00512); x0

// Both belong together: x_t = signal x0 + noise e.
struct Prediction {
    gpu::Tensor x0;
    gpu::Tensor epsilon;
};

// `output` is what the network said of `x_t` at `level`. Epsilon wants signal > 0, Sample wants noise > 0.
Prediction predict(PredictionType type, const gpu::Tensor& output, const gpu::Tensor& x_t, const NoiseLevel& level);
// The inverse: what the network would have said for the picture x0. Wants noise > 0.
gpu::Tensor output_for(PredictionType type, const gpu::Tensor& x0, const gpu::Tensor& x_t, const NoiseLevel& level);

}  // namespace nodes
