// Names of a UNet's weights. Inside there is one naming, that of the ldm checkpoints without their prefix
// ("input_blocks.1.0.in_layers.0.weight"); files have it with prefixes, or diffusers' ("down_blocks.0.resnets.0.norm1.weight").
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gpu/nn/scope.h"
#include "nodes/models/unet/config.h"

namespace nodes {

// What diffusers' numbering depends on.
struct UnetLayout {
    std::vector<int> down, up;              // ResBlocks of down_blocks.N and up_blocks.N
    std::vector<bool> up_attends;           // whether up_blocks.N has transformers: the upsampler's number in ldm's naming
    bool middle_attends = true;             // likewise for the last ResBlock of the middle

    UnetLayout() = default;
    UnetLayout(const UnetConfig& config);
    // From names of diffusers, without prefix.
    explicit UnetLayout(std::span<const std::string> names);
};

// Both directions for one layout. Names may end anywhere below a layer ("...attn1.to_q.weight", "...attn1.to_q"). An empty
// string for a name that has no counterpart.
class UnetNames {
public:
    explicit UnetNames(const UnetLayout& layout);

    std::string ldm(std::string_view diffusers) const;
    std::string diffusers(std::string_view ldm) const;

private:
    struct Row {
        std::string ldm, diffusers;
        bool residual = false;              // a ResBlock, whose layers are named differently too
    };
    std::vector<Row> rows_;
};

// Once, where there are many names to ask for: UnetNames.
std::string unet_name(std::string_view diffusers, const UnetConfig& config);
std::string unet_diffusers_name(std::string_view ldm, const UnetConfig& config);

// Where the UNet is among these tensors: the prefix and the naming; nothing where there is none. Names with `model_ema.` do not
// count.
struct UnetPlace {
    std::string prefix;                     // "model.diffusion_model.", "diffusion_model.", "unet.", ""
    bool diffusers = false;
};
std::optional<UnetPlace> find_unet(std::span<const gpu::Checkpoint> files);

// The UNet of a file, or of the parts of one, under ldm's names. Other tensors are left out; those below the prefix that have no
// counterpart keep their names, so that Scope::finish() names them. `prefix`: where it is, "auto": found out.
// Throws BadFile where there is none.
void add_unet_weights(gpu::Weights& into, std::span<const gpu::Checkpoint> files, std::string_view prefix = "auto");
void add_unet_weights(gpu::Weights& into, const gpu::Checkpoint& file, std::string_view prefix = "auto");

}  // namespace nodes
