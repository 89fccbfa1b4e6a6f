#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/models/unet/unet.h"

namespace nodes {
namespace {

constexpr std::size_t group_bytes = std::size_t{64} << 20;      // of F32 results that are computed at once

// A tensor's values as a leaf of the host, which the device's copies can be made from again.
Tensor on_host(const Tensor& computed) {
    const auto bytes = std::make_shared<std::vector<std::byte>>(tensor_bytes(computed));
    gpu::read(computed, *bytes);
    return gpu::leaf(computed.spec(), *bytes, bytes);
}

}  // namespace

std::map<std::string, Tensor, std::less<>> merged_weights(const gpu::Weights& weights, const std::map<std::string, Tensor, std::less<>>& leaves,
                                                          const Patches& patches) {
    std::map<std::string, Tensor, std::less<>> merged = leaves;
    const std::vector<const WeightPatch*> changes = of_kind<WeightPatch>(patches);
    if (changes.empty()) return merged;
    std::vector<std::string> names;
    gpu::Tensors group;
    std::size_t bytes = 0;
    const auto finish_group = [&] {
        gpu::evaluate(group);
        for (std::size_t i = 0; i < names.size(); ++i) merged.insert_or_assign(names[i], gpu::cast(on_host(group[i]), gpu::Dtype::F32));
        names.clear(), group.clear(), bytes = 0;
    };
    for (const auto& [name, leaf] : leaves) {
        bool touched = false;
        for (const WeightPatch* patch : changes) touched = touched || patch->touches(name);
        if (!touched) continue;
        const gpu::TensorEntry& entry = weights.at(name).entry;
        const bool half = entry.dtype == gpu::Dtype::F16 || entry.dtype == gpu::Dtype::BF16;
        names.push_back(name);
        group.push_back(gpu::cast(patched_weight(name, leaf, patches), half ? entry.dtype : entry.blocks ? gpu::Dtype::F16 : gpu::Dtype::F32));
        bytes += static_cast<std::size_t>(leaf.element_count()) * sizeof(float);
        if (bytes >= group_bytes) finish_group();
    }
    if (!group.empty()) finish_group();
    return merged;
}

}  // namespace nodes
