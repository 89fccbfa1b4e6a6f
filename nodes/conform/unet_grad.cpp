// latent, timestep, context, target -> loss = mean((unet(latent) - target)^2), grad_context and grad.NAME for every weight, named
// as in the file.
#include "gpu/graph/autodiff.h"
#include "nodes/conform/unet_case.h"
#include "nodes/models/unet/keys.h"
#include "nodes/models/unet/unet.h"

namespace nodes {
namespace {

ConformOutputs run_unet_grad(const ConformCase& given) {
    std::vector<gpu::Checkpoint> files;
    for (const std::string& path : given.weights) files.push_back(gpu::open_checkpoint(path));
    gpu::Weights weights;
    add_unet_weights(weights, files);
    const std::string prefix = find_unet(files)->prefix;
    std::map<std::string, Tensor, std::less<>> parameters;
    for (const auto& [name, weight] : weights) parameters.emplace(name, gpu::to_leaf(weight));
    const Scope scope = Scope::tensors(parameters);
    const UnetNetwork network(scope, read_unet_config(weights, unet_hints(given)));
    scope.finish("unet");

    const DenoiserInput input = unet_input(given);
    const Tensor loss = gpu::mean(gpu::square(network(input) - given.input("target")));
    gpu::Tensors wrt{input.context};
    for (const auto& [name, tensor] : parameters) wrt.push_back(tensor);
    const gpu::Tensors gradients = gpu::gradients(loss, wrt);
    ConformOutputs outputs{{"loss", gpu::reshape(loss, {1})}, {"grad_context", gradients[0]}};
    std::size_t at = 1;
    for (const auto& [name, weight] : weights) {
        const std::string& own = weight.entry.name;
        outputs["grad." + (own.starts_with(prefix) ? own.substr(prefix.size()) : own)] = gradients[at];
        outputs["grad." + own] = gradients[at++];
    }
    return outputs;
}

}  // namespace
}  // namespace nodes

REGISTER_CONFORM_KIND(unet_grad, nodes::run_unet_grad)
