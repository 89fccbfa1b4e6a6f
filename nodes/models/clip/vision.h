// CLIP's vision transformer (arXiv:2103.00020; arXiv:2010.11929), ViT-L/14, H/14, bigG/14 and smaller copies.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "nodes/models/clip/layer.h"
#include "nodes/types/vision.h"

namespace nodes {

struct ClipVisionHints {
    int heads = 0;
    std::optional<ClipActivation> activation{};
};

struct ClipVisionConfig {
    int width = 1024, layers = 24, heads = 16, inner = 4096;
    int patch = 14, image = 224;        // pixels, of squares
    int projection = 768;               // 0: the weights have none
    ClipActivation activation = ClipActivation::QuickGelu;

    int grid() const { return image / patch; }
};

// Sizes from the weights, named as in Hugging Face's files. Where no hint says otherwise: heads of 64, but 16 heads for the
// widths 1280 (H), 1408 (g) and 1664 (bigG); quick GELU up to ViT-L's width of 1024, erf above. Throws BadFile where the weights
// are no vision tower.
ClipVisionConfig read_clip_vision_config(const gpu::Weights& weights, const ClipVisionHints& hints = {});

// "clip-l", "clip-h", "clip-g". Throws Error{Usage} for others.
ClipVisionConfig published_clip_vision(std::string_view name);

// The network as an expression. Names below `s`: vision_model.*, visual_projection.weight
class ClipVision {
public:
    ClipVision(const Scope& s, const ClipVisionConfig& config);

    const ClipVisionConfig& config() const { return config_; }

    // Normalised pictures [B, 3, image, image] -> the states before the first layer and after each: layers + 1 tensors
    // [B, 1 + grid^2, width], the class token first. Throws Error{InvalidGraph} for other sizes.
    std::vector<Tensor> states(const Tensor& pictures) const;
    // The class token of the last state after its norm: [B, width].
    Tensor pooled(const Tensor& last) const;
    bool can_project() const { return projection_.has_value(); }
    Tensor projected(const Tensor& pooled) const;               // [B, width] -> [B, projection]

private:
    ClipVisionConfig config_;
    Tensor class_token_, position_table_;
    nn::Conv2d patches_;
    nn::LayerNorm norm_in_;             // pre_layrnorm, spelt so in files
    std::vector<ClipLayer> layers_;
    nn::LayerNorm norm_out_;            // post_layernorm
    std::optional<nn::Linear> projection_;
};

// Embeddings [N, D] with rows of length 1: CLIP compares directions.
Tensor unit_length(const Tensor& embeddings);

// Colours F32 [N, 3, H, W] in 0..1 (sRGB) as the tower wants them, [N, 3, side, side]: resized by an antialiased cubic filter, CLIP's
// mean taken off, divided by its deviation.
Tensor clip_pixels(const Tensor& colours, int side, VisionFit fit = VisionFit::Crop);

}  // namespace nodes
