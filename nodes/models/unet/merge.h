// Weights that are computed once from others: patched ones, and side networks that are completed by a base.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gpu/nn/scope.h"
#include "nodes/types/patch.h"

namespace nodes {

using NamedTensors = std::map<std::string, Tensor, std::less<>>;

// Computes weights in groups that bound the memory it takes. Sums are made in F32; results lie in the host's memory in the type
// of the weight that they stand for (F16 for quantised ones), under a cast to F32 as gpu::to_leaf() gives them.
class WeightMerger {
public:
    explicit WeightMerger(NamedTensors& into) : into_(into) {}

    // `into[name]` becomes `value`; `like` tells the type.
    void add(const std::string& name, const Tensor& value, const gpu::TensorEntry& like);
    void finish();      // call it after the last one

private:
    NamedTensors& into_;
    std::vector<std::string> names_;
    gpu::Tensors values_;
    std::size_t bytes_ = 0;
};

// The weights with all weight patches of the list merged. Untouched ones stay as they are.
NamedTensors merged_weights(const gpu::Weights& weights, const NamedTensors& leaves, const Patches& patches);

}  // namespace nodes
