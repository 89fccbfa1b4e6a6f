// What lies between the layers of a network that only predicts: F32, or 16 bits as in mixed precision (arXiv:1710.03740).
#pragma once

#include <string>
#include <vector>

#include "gpu/nn/scope.h"

namespace gpu {
struct DeviceTraits;
}

namespace nodes {

enum class Activations { Auto, F32, F16, BF16 };

// For parameters, in the order of the enumerators.
inline std::vector<std::string> activation_names() { return {"auto", "f32", "f16", "bf16"}; }

// Whether most numbers of a network are stored in 16 bits or fewer: rounding activations to as many loses little beside that.
bool stored_small(const gpu::Weights& weights);

// Auto is F16 for such weights where the device multiplies matrices of F16 in units of their own, else F32. Processors that run shaders gain nothing.
gpu::Dtype activation_type(Activations wanted, bool small_weights, const gpu::DeviceTraits& device);

}  // namespace nodes
