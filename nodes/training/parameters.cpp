#include "nodes/training/parameters.h"

#include "gpu/ops.h"
#include "gpu/run/evaluate.h"

namespace nodes {
namespace {

gpu::train::ParameterRates usual_rates(const gpu::Shape& shape) { return {.decay = shape.size() <= 1 ? 0.0 : 1.0}; }

}  // namespace

std::vector<Parameter> drawn_parameters(std::uint64_t seed, const std::function<void(const gpu::Scope&)>& build) {
    const gpu::Scope names = gpu::Scope::shapes();
    build(names);
    const gpu::Scope values = gpu::Scope::random(seed);
    std::vector<Parameter> parameters;
    for (const gpu::Scope::Asked& asked : names.asked())
        parameters.push_back({asked.name, values.weight(asked.name, asked.shape, asked.init), usual_rates(asked.shape)});
    return parameters;
}

std::vector<Parameter> parameters_of(const gpu::Weights& weights) {
    std::vector<Parameter> parameters;
    for (const auto& [name, weight] : weights) {
        const gpu::Tensor value = gpu::tensor(gpu::to_floats(gpu::to_leaf(weight)), weight.entry.shape);
        parameters.push_back({name, value, usual_rates(weight.entry.shape)});
    }
    return parameters;
}

gpu::Weight weight_of(const std::string& name, const gpu::Tensor& value) {
    const auto values = std::make_shared<std::vector<float>>(gpu::to_floats(value));
    return {.entry = {.name = name, .dtype = gpu::Dtype::F32, .shape = value.shape(), .bytes = std::as_bytes(std::span(*values))},
            .owner = values,
            .file = "memory"};
}

gpu::Weights weights_of(const NamedTensors& parameters) {
    gpu::Tensors all;
    for (const auto& [name, value] : parameters) all.push_back(value);
    gpu::evaluate(all);
    gpu::Weights weights;
    for (const auto& [name, value] : parameters) weights.emplace(name, weight_of(name, value));
    return weights;
}

}  // namespace nodes
