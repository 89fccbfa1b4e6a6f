// TAESD, the tiny autoencoders of O. Boer Bohan (github.com/madebyollin/taesd): a stand-in for the large autoencoder of a
// family that shares its latents, 4, 16 or 32 channels at an eighth of the picture's size.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gpu/nn/modules.h"
#include "nodes/types/vae.h"

namespace nodes {

namespace nn = gpu::nn;
using gpu::Scope;

// Three convolutions around a rectifier, on top of the input: relu(conv(x) + x). Variants with 32 latent channels first add a
// branch through 1x1 convolutions and a group norm, which sees the whole picture.
struct TaesdBlock {
    nn::Conv2d conv0, conv2, conv4;
    struct Pool {
        nn::Conv2d widen;
        nn::GroupNorm norm;
        nn::Conv2d narrow;
        Pool(const Scope& s, int width);
        Tensor operator()(const Tensor& x) const;
    };
    std::optional<Pool> pool;

    TaesdBlock(const Scope& s, int width, bool pooled = false);
    Tensor operator()(const Tensor& x) const;      // [N, width, H, W], unchanged
};

struct TaesdEncoder {
    nn::Conv2d first;                              // 0
    TaesdBlock top;                                // 1
    struct Stage {                                 // 2, 3..5; 6, 7..9; 10, 11..13
        nn::Conv2d down;
        std::vector<TaesdBlock> blocks;
        Stage(const Scope& s, int at, int width, bool pooled);
    };
    std::vector<Stage> stages;
    nn::Conv2d last;                               // 14

    TaesdEncoder(const Scope& s, int width, int latent_channels, bool pooled);
    Tensor operator()(const Tensor& x) const;      // [N, 3, 8h, 8w] -> [N, latent_channels, h, w]
};

struct TaesdDecoder {
    nn::Conv2d first;                              // 1
    struct Stage {                                 // 3..5, 7; 8..10, 12; 13..15, 17
        std::vector<TaesdBlock> blocks;
        nn::Conv2d conv;                           // after doubling the size
        Stage(const Scope& s, int at, int width, bool pooled);
    };
    std::vector<Stage> stages;
    TaesdBlock bottom;                             // 18
    nn::Conv2d last;                               // 19

    TaesdDecoder(const Scope& s, int width, int latent_channels, bool pooled);
    Tensor operator()(const Tensor& latent) const;      // [N, latent_channels, h, w] -> [N, 3, 8h, 8w]
};

// Weights of both published layouts under one naming, that of the original with "encoder." and "decoder." in front:
// numbers as keys, one file for each half (or one with "encoder.", "taesd_encoder." ... in front); or diffusers'
// AutoencoderTiny ("encoder.layers.N", "decoder.layers.N", one file). Adds what the file holds; throws BadFile when it
// holds neither half of a tiny autoencoder.
void add_taesd_weights(gpu::Weights& into, const gpu::Checkpoint& file);

class Taesd final : public Autoencoder {
public:
    // Width, latent channels and variant come from the shapes in `s`; either half may be missing, not both.
    // Throws BadFile when the weights are not those of a tiny autoencoder, naming keys.
    Taesd(const Scope& s, const std::string& family);

    const LatentFormat& format() const override { return format_; }
    bool can_encode() const override { return encoder_.has_value(); }
    bool can_decode() const override { return decoder_.has_value(); }
    Tensor encode(const Tensor& pictures) const override;
    Tensor decode(const Tensor& latents) const override;
    std::string summary() const override;
    std::size_t bytes() const override { return bytes_; }

private:
    LatentFormat format_;
    std::optional<TaesdEncoder> encoder_;
    std::optional<TaesdDecoder> decoder_;
    std::size_t bytes_ = 0;
};

// Opens one or two files (empty: none) and builds the model. `family` empty: guessed from file names ("taesdxl", "taef1"),
// else from the number of channels. Throws MissingFile, BadFile.
Vae load_taesd(const std::string& encoder, const std::string& decoder, const std::string& family = {});

}  // namespace nodes
