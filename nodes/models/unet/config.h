// What a UNet of the Stable Diffusion family looks like: read off the shapes and names of its weights, as far as they tell.
// SD 1.x and 2.x (arXiv:2112.10752), SDXL and its refiner (arXiv:2307.01952), LCM (arXiv:2310.04378), and smaller copies.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gpu/nn/scope.h"
#include "nodes/types/model.h"

namespace nodes {

// What shapes can not tell. Empty and 0: the family's usual value.
struct UnetHints {
    std::vector<int> heads;         // one number for all levels, or one a level; 0 there: usual
    int groups = 0;                 // of group norms; usual: 32, or less where 32 does not divide the channels
    int pooled_width = 0;           // of the pooled text within what label_emb reads; usual: 1280
    int size_embedding = 0;         // width of each embedded number of the size conditioning; usual: 256
};

struct UnetConfig {
    struct Level {
        int channels = 320;
        int heads = 8;                      // of its transformers
        std::vector<int> input_depths;      // one a ResBlock of the way down: layers of the transformer behind it, 0 for none
        std::vector<int> output_depths;     // of the way up, in order of evaluation
    };
    std::vector<Level> levels;              // from the finest
    int in_channels = 4, out_channels = 4;
    bool middle = true;                     // there is a middle block
    int middle_depth = 1, middle_heads = 8;
    int context_width = 768;
    int groups = 32;
    bool linear_projection = false;         // transformers' proj_in and proj_out are [C, C], not [C, C, 1, 1]
    int time_width = 1280;
    int label_width = 0;                    // what label_emb reads: pooled text and embedded sizes; 0: there is none
    int pooled_width = 0, size_embedding = 256;
    int guidance_width = 0;                 // what time_embed.cond_proj reads, 0: there is none

    int base_channels() const { return levels.front().channels; }
    int size_ids() const { return label_width > pooled_width ? (label_width - pooled_width) / size_embedding : 0; }
    // Input blocks and output blocks, the first convolution counted.
    int block_count() const;
    // "sd1", "sd2", "sdxl", "sdxl-refiner", or "pico" for sizes that none of them has.
    std::string family() const;
};

// Of weights named as ldm names them (keys.h). A UNet without its way up serves too: what a ControlNet copies.
// Throws BadFile, naming the key, where these are no UNet's.
UnetConfig read_unet_config(const gpu::Weights& weights, const UnetHints& hints = {});

// "sd15", "sd21", "sdxl", "refiner": the published ones, for runs without weights. Throws Usage for other names.
UnetConfig published_unet(std::string_view name);

// What nodes must know of it; the prediction type is left at epsilon.
ModelInfo unet_info(const UnetConfig& config);

// The attention layers in diffusers' order: way down, way up, middle. rows and columns are of a latent of one cell a level,
// 0 here.
std::vector<AttentionSite> attention_sites(const UnetConfig& config);

}  // namespace nodes
