// The UNet of latent diffusion (arXiv:2112.10752) in its plainest form, with the names and key layout of diffusers' files:
// what training is measured with, and whose gradients are compared with stored ones.
#pragma once

#include <optional>
#include <vector>

#include "gpu/nn/modules.h"
#include "gpu/nn/transformer.h"

namespace gpu::nn {

struct SmallUnetConfig {
    int in = 4;                            // channels of the latent, in and out
    std::vector<int> channels{64, 128, 192};
    std::vector<bool> attends{false, true, true};   // per level
    int blocks = 1;                        // ResBlocks a level on the way down, one more on the way up
    int context = 192;                     // width of the text
    int heads = 4;
    int groups = 32;
};

// time embedding [N, T] is added between the convolutions
struct ResBlock {
    GroupNorm norm1, norm2;
    Conv2d conv1, conv2;
    Linear time;
    std::optional<Conv2d> shortcut;

    ResBlock(const Scope& s, int in, int out, int time, int groups);
    Tensor operator()(const Tensor& x, const Tensor& embedding) const;   // [N, in, H, W] -> [N, out, H, W]
};

// Self-attention, attention to the text, GEGLU feed-forward (arXiv:2002.05202), over the pixels of a map.
struct SpatialTransformer {
    GroupNorm norm;
    Conv2d proj_in, proj_out;
    LayerNorm norm1, norm2, norm3;
    MultiHeadAttention self, cross;
    GegluFeedForward feed_forward;

    SpatialTransformer(const Scope& s, int channels, const SmallUnetConfig& config);
    Tensor operator()(const Tensor& x, const Tensor& context) const;     // [N, C, H, W]
};

struct SmallUnet {
    explicit SmallUnet(const Scope& s, const SmallUnetConfig& config = {});
    // latent [N, in, H, W], times [N], context [N, S, width] -> [N, in, H, W]
    Tensor operator()(const Tensor& latent, const Tensor& times, const Tensor& context) const;

private:
    struct Level {
        std::vector<ResBlock> blocks;
        std::vector<SpatialTransformer> transformers;                    // one a block, or none
        std::optional<Conv2d> resample;
    };
    struct Embedding {
        int width;
        Linear first, second;
        Tensor operator()(const Tensor& times) const;                    // [N] -> [N, 4 width]
    };
    Embedding embedding_;
    Conv2d conv_in_;
    std::vector<Level> down_, up_;
    ResBlock middle1_, middle2_;
    SpatialTransformer middle_;
    GroupNorm norm_out_;
    Conv2d conv_out_;
};

}  // namespace gpu::nn
