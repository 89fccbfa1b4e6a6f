#include "nodes/models/controlnet/complete.h"

#include "gpu/base/error.h"
#include "gpu/ops.h"

namespace nodes {
namespace {

Tensor flat(const Tensor& x) { return gpu::reshape(x, {x.size(0), -1}); }

}  // namespace

NamedTensors completed_difference(const gpu::Weights& difference, const gpu::Weights& base) {
    NamedTensors all;
    WeightMerger merger(all);
    for (const auto& [name, weight] : difference) {
        const auto own = base.find(name);
        if (own != base.end() && own->second.entry.shape == weight.entry.shape)
            merger.add(name, gpu::to_leaf(own->second) + gpu::to_leaf(weight), own->second.entry);
        else
            all.emplace(name, gpu::to_leaf(weight));
    }
    merger.finish();
    return all;
}

NamedTensors completed_lora(const gpu::Weights& lora, const gpu::Weights& base, const std::string& what) {
    NamedTensors all;
    for (const auto& [name, weight] : base)
        if (!name.starts_with("output_blocks.") && !name.starts_with("out.")) all.emplace(name, gpu::to_leaf(weight));
    WeightMerger merger(all);
    for (const auto& [name, weight] : lora) {
        if (name.ends_with(".down")) continue;
        if (!name.ends_with(".up")) {
            all.insert_or_assign(name, gpu::to_leaf(weight));
            continue;
        }
        const std::string layer = name.substr(0, name.size() - 3);
        const auto down = lora.find(layer + ".down");
        const auto own = base.find(layer + ".weight");
        gpu::check(down != lora.end() && own != base.end(), gpu::ErrorCode::InvalidGraph, "{}: expected {}, got none of that name", what,
                   down == lora.end() ? layer + ".down beside " + name : "a weight " + layer + ".weight of the model");
        const gpu::Shape& shape = own->second.entry.shape;
        const Tensor delta = gpu::matmul(flat(gpu::to_leaf(weight)), flat(gpu::to_leaf(down->second)));      // [out, in k k]
        gpu::check(delta.element_count() == gpu::element_count(shape), gpu::ErrorCode::InvalidGraph, "{}: expected a change of {} {}, got one of {}", what, layer,
                   gpu::to_string(shape), gpu::to_string(delta.shape()));
        merger.add(layer + ".weight", gpu::to_leaf(own->second) + gpu::reshape(delta, shape), own->second.entry);
    }
    merger.finish();
    return all;
}

}  // namespace nodes
