#include "nodes/models/controlnet/complete.h"

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"

namespace nodes {
namespace {

using gpu::Tensor;

constexpr std::int64_t group_elements = std::int64_t{16} << 20;

// Computes tensors in groups, so that only the results take memory, and stores them in the type of the base's weight.
class Merger {
public:
    explicit Merger(NamedTensors& into) : into_(into) {}

    void add(const std::string& name, const Tensor& value, const gpu::TensorEntry& like) {
        const bool half = like.dtype == gpu::Dtype::F16 || like.dtype == gpu::Dtype::BF16;
        names_.push_back(name);
        values_.push_back(gpu::cast(value, half ? like.dtype : like.blocks ? gpu::Dtype::F16 : gpu::Dtype::F32));
        elements_ += value.element_count();
        if (elements_ >= group_elements) finish();
    }
    void finish() {
        if (values_.empty()) return;
        gpu::evaluate(values_);
        for (std::size_t i = 0; i < names_.size(); ++i) into_.insert_or_assign(names_[i], gpu::cast(values_[i], gpu::Dtype::F32));
        names_.clear(), values_.clear(), elements_ = 0;
    }

private:
    NamedTensors& into_;
    std::vector<std::string> names_;
    gpu::Tensors values_;
    std::int64_t elements_ = 0;
};

Tensor flat(const Tensor& x) { return gpu::reshape(x, {x.size(0), -1}); }

}  // namespace

NamedTensors completed_difference(const gpu::Weights& difference, const gpu::Weights& base) {
    NamedTensors all;
    Merger merger(all);
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
    Merger merger(all);
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
