#include "nodes/models/controlnet/keys.h"

#include "gpu/base/error.h"
#include "nodes/models/unet/keys.h"

namespace nodes {
namespace {

using gpu::format;

constexpr std::string_view prefixes[] = {"control_model.", "controlnet.", ""};

bool has(const gpu::Checkpoint& file, std::string_view prefix, std::string_view name) {
    return file.find(std::string(prefix) + std::string(name)) != nullptr;
}

std::string found_prefix(const gpu::Checkpoint& file) {
    for (const std::string_view prefix : prefixes)
        for (const std::string_view mark : {"zero_convs.0.0.weight", "controlnet_cond_embedding.conv_in.weight", "lora_controlnet"})
            if (has(file, prefix, mark)) return std::string(prefix);
    return "none";
}

// Side networks that are none of ours, by a name that only they have.
std::string other_kind(const gpu::Checkpoint& file) {
    for (const auto& [mark, kind] : {std::pair("control_add_embedding.linear_1.weight", "a ControlNet-Union"),
                                     std::pair("lllite_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q.conditioning1.0.weight", "a ControlNet-LLLite"),
                                     std::pair("down_blocks.0.motion_modules.0.temporal_transformer.norm.weight", "a SparseCtrl"),
                                     std::pair("transformer_blocks.0.adaLN_modulation.1.bias", "a ControlNet of Stable Diffusion 3"),
                                     std::pair("controlnet_x_embedder.weight", "a ControlNet of Flux"),
                                     std::pair("model.diffusion_model.input_blocks.0.0.weight", "a checkpoint")})
        if (file.find(mark)) return kind;
    return file.entries().empty() ? "no tensors" : "tensors such as " + file.entries()[0].name;
}

// The last convolution of the hint's block, counted from 0.
int last_hint_layer(const std::vector<std::string>& names) {
    int layer = 1;
    for (const std::string& name : names)
        while (name.starts_with(format("controlnet_cond_embedding.blocks.{}.", layer - 1))) ++layer;
    return layer;
}

std::string ldm_name(const std::string& name, const UnetNames& unet, int last) {
    const auto numbered = [&](std::string_view folder, const std::function<std::string(int)>& row) -> std::string {
        const std::string rest = name.substr(folder.size());
        const auto dot = rest.find('.');
        if (dot == std::string::npos || dot == 0 || dot > 2 || rest.find_first_not_of("0123456789") != dot) return {};
        return row(std::stoi(rest.substr(0, dot))) + rest.substr(dot);
    };
    if (name.starts_with("controlnet_down_blocks.")) return numbered("controlnet_down_blocks.", [](int i) { return format("zero_convs.{}.0", i); });
    if (name.starts_with("controlnet_cond_embedding.blocks."))
        return numbered("controlnet_cond_embedding.blocks.", [](int i) { return format("input_hint_block.{}", 2 * i + 2); });
    for (const auto& [theirs, ours] : {std::pair<std::string, std::string>("controlnet_cond_embedding.conv_in.", "input_hint_block.0."),
                                       {"controlnet_cond_embedding.conv_out.", format("input_hint_block.{}.", 2 * last)},
                                       {"controlnet_mid_block.", "middle_block_out.0."}})
        if (name.starts_with(theirs)) return ours + name.substr(theirs.size());
    return unet.ldm(name);
}

}  // namespace

ControlForm control_form(const gpu::Checkpoint& file) {
    const std::string prefix = found_prefix(file);
    if (prefix == "none" || file.find("control_add_embedding.linear_1.weight")) return ControlForm::None;
    if (has(file, prefix, "lora_controlnet")) return ControlForm::Lora;
    return file.find("difference") || has(file, prefix, "difference") ? ControlForm::Difference : ControlForm::Whole;
}

ControlForm add_controlnet_weights(gpu::Weights& into, const gpu::Checkpoint& file, std::string_view given) {
    const std::string prefix = given == "auto" ? found_prefix(file) : std::string(given);
    const ControlForm form = control_form(file);
    gpu::check(prefix != "none" && form != ControlForm::None, gpu::ErrorCode::BadFile,
               "{}: expected a ControlNet with keys such as control_model.zero_convs.0.0.weight or controlnet_cond_embedding.conv_in.weight, got {}",
               file.path(), other_kind(file));
    const bool diffusers = has(file, prefix, "controlnet_cond_embedding.conv_in.weight");
    std::vector<std::string> names;
    for (const gpu::TensorEntry& entry : file.entries())
        if (entry.name.starts_with(prefix)) names.push_back(entry.name.substr(prefix.size()));
    const UnetNames unet{diffusers ? UnetLayout(names) : UnetLayout()};
    const int last = last_hint_layer(names);
    // Beside a UNet, or bare among nothing else: what lies below the prefix is the ControlNet's.
    gpu::add_weights(into, file, [&](const std::string& name) -> std::string {
        if (!name.starts_with(prefix)) return {};
        const std::string own = name.substr(prefix.size());
        if (own == "difference" || own == "lora_controlnet") return {};
        const std::string renamed = diffusers ? ldm_name(own, unet, last) : own;
        return renamed.empty() ? own : renamed;
    });
    return form;
}

}  // namespace nodes
