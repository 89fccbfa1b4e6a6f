#include "nodes/types/activations.h"

#include "gpu/graph/kernel.h"

namespace nodes {

bool stored_small(const gpu::Weights& weights) {
    std::int64_t small = 0, all = 0;
    for (const auto& [name, weight] : weights) {
        const std::int64_t count = gpu::element_count(weight.entry.shape);
        all += count;
        if (weight.entry.blocks || gpu::size_of(weight.entry.dtype) <= 2) small += count;
    }
    return 2 * small > all;
}

gpu::Dtype activation_type(Activations wanted, bool small_weights, const gpu::DeviceTraits& device) {
    switch (wanted) {
        case Activations::F16: return gpu::Dtype::F16;
        case Activations::BF16: return gpu::Dtype::BF16;
        case Activations::F32: return gpu::Dtype::F32;
        case Activations::Auto: break;
    }
    return small_weights && device.cooperative_matrix && !device.software ? gpu::Dtype::F16 : gpu::Dtype::F32;
}

}  // namespace nodes
