// Names of a ControlNet's weights: those of the UNet's way down (nodes/models/unet/keys.h), input_hint_block.N, zero_convs.N.0 and
// middle_block_out.0. Published forms: ldm's, with "control_model." before it or bare, alone or beside a UNet; diffusers'; the
// difference to a base (a tensor "difference" says so); Control-LoRA (a tensor "lora_controlnet").
#pragma once

#include "gpu/nn/scope.h"

namespace nodes {

enum class ControlForm {
    None,              // no ControlNet
    Whole,
    Difference,        // what the base's own weights are added to
    Lora,              // NAME.up and NAME.down beside the base's weights, others as they are
};

// What the file holds, by its names.
ControlForm control_form(const gpu::Checkpoint& file);

// Adds the ControlNet of a file under ldm's names (NAME.up and NAME.down for Control-LoRA). `prefix`: where it is; "auto": found out.
// Throws BadFile where there is none, or one of a kind that is not supported, which it names.
ControlForm add_controlnet_weights(gpu::Weights& into, const gpu::Checkpoint& file, std::string_view prefix = "auto");

}  // namespace nodes
