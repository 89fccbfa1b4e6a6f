#include "nodes/models/unet/merge.h"

#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/types/model.h"

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

void WeightMerger::add(const std::string& name, const Tensor& value, const gpu::TensorEntry& like) {
    const bool half = like.dtype == gpu::Dtype::F16 || like.dtype == gpu::Dtype::BF16;
    names_.push_back(name);
    values_.push_back(gpu::cast(value, half ? like.dtype : like.blocks ? gpu::Dtype::F16 : gpu::Dtype::F32));
    bytes_ += static_cast<std::size_t>(value.element_count()) * sizeof(float);
    if (bytes_ >= group_bytes) finish();
}

void WeightMerger::finish() {
    if (values_.empty()) return;
    gpu::evaluate(values_);
    for (std::size_t i = 0; i < names_.size(); ++i) into_.insert_or_assign(names_[i], gpu::cast(on_host(values_[i]), gpu::Dtype::F32));
    names_.clear(), values_.clear(), bytes_ = 0;
}

NamedTensors merged_weights(const gpu::Weights& weights, const NamedTensors& leaves, const Patches& patches) {
    NamedTensors merged = leaves;
    const std::vector<const WeightPatch*> changes = of_kind<WeightPatch>(patches);
    WeightMerger merger(merged);
    for (const auto& [name, leaf] : leaves) {
        bool touched = false;
        for (const WeightPatch* patch : changes) touched = touched || patch->touches(name);
        if (touched) merger.add(name, patched_weight(name, leaf, patches), weights.at(name).entry);
    }
    merger.finish();
    return merged;
}

}  // namespace nodes
