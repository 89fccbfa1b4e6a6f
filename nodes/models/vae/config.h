// The sizes of an autoencoder of the latent diffusion models (arXiv:2112.10752) and of VQGAN (arXiv:2012.09841), which share
// encoder and decoder. Read off the weights' shapes.
#pragma once

#include <vector>

#include "gpu/nn/scope.h"

namespace nodes {

struct VaeConfig {
    struct Level {
        int width = 0;
        int blocks = 0;
        bool attends = false;      // an attention behind every ResBlock
        bool convolves = true;     // the resampling has a convolution; without one it averages, and repeats on the way up
    };
    struct Half {
        std::vector<Level> levels;          // from the picture's resolution down, in both halves
        int stem = 0;                       // channels behind (encoder) or of (decoder) the first convolution
        bool middle_attends = true;
        bool middle_returns = true;         // a second ResBlock behind the attention
    };
    // Empty levels: the weights have no such half.
    Half encoder, decoder;
    int picture_channels = 3;
    int features = 4;              // channels between the halves and the 1x1 convolutions; the encoder of a KL model writes twice as many
    int channels = 4;              // of the latent
    bool quant_conv = true, post_quant_conv = true;
    int codes = 0;                 // rows of the codebook; 0: no VQ model
    bool temporal = false;         // the decoder takes a batch for the frames of one clip (arXiv:2311.15127)
    int groups = 32;
    double eps = 1e-6;

    int factor() const;            // pixels per latent cell along either axis
};

// What shapes do not tell.
struct VaeHints {
    int groups = 0;                // 0: the largest divisor of 32 and of all widths, which is 32 for the published models
    double eps = 1e-6;
};

// The autoencoder of SD 1.x, 2.x and SDXL; `latent_channels` 16 without the 1x1 convolutions is that of SD 3 and Flux.
VaeConfig vae_config(const std::vector<int>& widths = {128, 256, 512, 512}, int latent_channels = 4, int blocks = 2);

// `weights` are named as in keys.h. Throws BadFile where they are those of neither half.
VaeConfig read_vae_config(const gpu::Weights& weights, const VaeHints& hints = {});

}  // namespace nodes
