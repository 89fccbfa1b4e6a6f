// Training of a text-to-image diffusion network in latents (DDPM, arXiv:2006.11239; latent diffusion, arXiv:2112.10752).
#pragma once

#include "nodes/models/unet/unet.h"
#include "nodes/types/examples.h"
#include "nodes/types/objective.h"

namespace nodes {

struct DiffusionLoss {
    double min_snr = 0;           // gamma of min-SNR weights (arXiv:2303.09556); 0: none
    double huber = 0;             // where the pseudo-Huber loss turns from square to line; 0: the square
    double drop_text = 0.1;       // share of visits with the empty caption, for classifier-free guidance (arXiv:2207.12598)
};

struct DiffusionTraining {
    Examples examples;
    UnetConfig config;
    ModelInfo info;                         // prediction type and noise table; the rest follows from configuration and examples
    DiffusionLoss loss;
    gpu::Weights start;                     // that are moved on, named as ldm has them; empty: drawn
    std::uint64_t seed = 0;                 // of weights that are drawn
};

// A UNet with these channels a level, `blocks` ResBlocks each on the way down (one more on the way up), each with a transformer where the
// level attends; heads as SD 1.x has them.
UnetConfig small_unet_config(const std::vector<int>& channels, const std::vector<bool>& attends, int blocks, int latent_channels, int context_width);

// The result is a Model.
ObjectiveRef diffusion_objective(DiffusionTraining training);

}  // namespace nodes
