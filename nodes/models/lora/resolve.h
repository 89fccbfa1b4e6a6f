// Which weight a module of a LoRA file means. For every network a table is made from all accepted spellings of its layers to the
// layers, so that no spelling is ever taken apart: kohya's with underscores, of ldm's and of diffusers' names; the dotted ones; those
// of the processors of old diffusers; OpenCLIP's with fused projections.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "nodes/models/lora/delta.h"
#include "nodes/models/lora/file.h"
#include "nodes/models/unet/keys.h"

namespace nodes {

// A layer, or the rows of it that a fused module changes.
struct LoraSite {
    std::string layer;            // "input_blocks.1.1.transformer_blocks.0.attn1.to_q": with ".weight", a name of the network's weights
    LoraSlice slice{};
};

// The layers of one network under all their spellings.
class LoraNames {
public:
    // A UNet whose weights are named as ldm names them.
    static LoraNames unet(const gpu::Weights& weights);
    // The same of some of its weights, where the layout is known otherwise.
    static LoraNames unet(const gpu::Weights& weights, const UnetLayout& layout);
    // A CLIP text tower whose weights are named as Hugging Face names them.
    static LoraNames text(const gpu::Weights& weights);

    // `spelled` without the prefix that names the network, dots or underscores; empty where there is no such layer.
    std::vector<LoraSite> find(const std::string& spelled) const;
    // Layers in the order in which cloneofsimo's tool counts those of `classes`, as published files do; the variants of that order
    // over time, to be told apart by shapes. Empty where a class is not known.
    std::vector<std::vector<std::string>> counted(const std::vector<std::string>& classes) const;
    const gpu::Weights& weights() const { return weights_; }

private:
    void add(const std::string& spelled, std::vector<LoraSite> sites);

    gpu::Weights weights_;
    UnetLayout layout_;
    bool is_text_ = false;
    std::map<std::string, std::vector<LoraSite>> sites_;      // spelled with underscores
};

// The network that a module's name speaks of, and the rest of the name.
enum class LoraNetwork { Unet, Text, Text1, Text2, Unsaid };
std::pair<LoraNetwork, std::string> lora_network(const std::string& module);

}  // namespace nodes
