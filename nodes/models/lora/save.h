// Writes files of the LoRA family as other tools read them.
#pragma once

#include <map>
#include <string>

#include "nodes/models/lora/file.h"

namespace nodes {

enum class LoraLayout {
    Kohya,              // lora_unet_down_blocks_0_..._to_q.lora_down.weight, .lora_up.weight, .alpha
    Peft,               // unet.down_blocks.0...to_q.lora_A.weight, .lora_B.weight, alpha counted in
};

// Replaced weights of cross-attention (Custom Diffusion) have one layout, that of diffusers' processors:
// down_blocks.0...attn2.processor.to_k_custom_diffusion.weight. `half`: F16, else F32. Throws Io; InvalidGraph for modules whose names have no
// counterpart in the layout.
void save_lora(const LoraFile& file, const std::string& path, LoraLayout layout, bool half, const std::map<std::string, std::string>& metadata = {});

}  // namespace nodes
