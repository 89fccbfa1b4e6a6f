// Parameters of networks for training: drawn anew, taken from weights of a file, and made into weights again.
#pragma once

#include <cstdint>
#include <functional>

#include "gpu/nn/scope.h"
#include "gpu/train/trainer.h"

namespace nodes {

using gpu::train::NamedTensors;
using gpu::train::Parameter;

// All weights that `build` asks a scope for, as its modules draw them. Those of one axis (biases, norms) do not decay.
std::vector<Parameter> drawn_parameters(std::uint64_t seed, const std::function<void(const gpu::Scope&)>& build);
// Weights as parameters, in F32.
std::vector<Parameter> parameters_of(const gpu::Weights& weights);
// The parameters' values as weights in memory, F32. Evaluates.
gpu::Weights weights_of(const NamedTensors& parameters);
// The same for one tensor.
gpu::Weight weight_of(const std::string& name, const gpu::Tensor& value);

}  // namespace nodes
