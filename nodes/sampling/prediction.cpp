#include "nodes/sampling/prediction.h"

#include "gpu/base/error.h"
#include "gpu/ops.h"

namespace nodes {

Prediction predict(PredictionType type, const gpu::Tensor& output, const gpu::Tensor& x_t, const NoiseLevel& level) {
    const double a = level.signal, s = level.noise;
    switch (type) {
        case PredictionType::Epsilon: return {(x_t - output * s) * (1 / a), output};
        case PredictionType::V: return {x_t * a - output * s, output * a + x_t * s};
        case PredictionType::Sample: return {output, (x_t - output * a) * (1 / s)};
    }
    throw gpu::Error(gpu::ErrorCode::Failure, "predict: unknown prediction type");
}

gpu::Tensor output_for(PredictionType type, const gpu::Tensor& x0, const gpu::Tensor& x_t, const NoiseLevel& level) {
    if (type == PredictionType::Sample) return x0;
    const gpu::Tensor epsilon = (x_t - x0 * level.signal) * (1 / level.noise);
    return type == PredictionType::Epsilon ? epsilon : epsilon * level.signal - x0 * level.noise;
}

}  // namespace nodes
