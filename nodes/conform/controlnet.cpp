// latent, timestep, context, hint in 0..1 -> output of the UNet with the branch applied, mid and down_N (scaled). The weights' names
// start with "unet." and "controlnet.".
#include "nodes/conform/unet_case.h"
#include "nodes/models/controlnet/controlnet.h"
#include "nodes/models/unet/keys.h"

namespace nodes {
namespace {

ConformOutputs run_controlnet(const ConformCase& given) {
    std::vector<gpu::Checkpoint> files;
    for (const std::string& path : given.weights) files.push_back(gpu::open_checkpoint(path));
    gpu::Weights unet, branch;
    add_unet_weights(unet, files);
    ControlForm form = ControlForm::None;
    for (const gpu::Checkpoint& file : files)
        if (control_form(file) != ControlForm::None) form = add_controlnet_weights(branch, file);
    const UnetHints hints = unet_hints(given);
    const UnetConfig config = read_unet_config(unet, hints);
    const Model model(make_unet(std::move(unet), config, unet_info(config)));
    const auto control = std::make_shared<const ControlNet>(std::move(branch), form, hints, "the case's");

    const ControlOptions options{.strength = given.config()["scale"].toDouble(1)};
    const DenoiserInput input = unet_input(given);
    const PatchRef patch = control->patch(given.input("hint"), options);
    ConformOutputs outputs{{"output", (*model.with(patch).denoiser())(input)}};
    const auto residual = std::dynamic_pointer_cast<const ResidualPatch>(patch->bound(model.base()));
    const Residuals added = residual->residuals(input);
    outputs["mid"] = added.middle;
    for (const auto& [block, tensor] : added.skips) outputs["down_" + std::to_string(block)] = tensor;
    return outputs;
}

}  // namespace
}  // namespace nodes

REGISTER_CONFORM_KIND(controlnet, nodes::run_controlnet)
