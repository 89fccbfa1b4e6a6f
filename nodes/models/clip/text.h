// CLIP's text tower: CLIP-L/14 (arXiv:2103.00020), OpenCLIP's H/14 and bigG/14 (arXiv:2212.07143), and smaller copies.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "nodes/models/clip/layer.h"

namespace nodes {

// What the shapes of the weights can not tell. Zeros and absent values: the defaults of read_clip_text_config().
struct ClipTextHints {
    int heads = 0;
    std::optional<ClipActivation> activation{};
    std::optional<int> eos{};
};

struct ClipTextConfig {
    int width = 768, layers = 12, heads = 12, inner = 3072;
    int vocabulary = 49408, positions = 77;
    int projection = 0;                 // width of the projected embedding, 0: the weights have none
    ClipActivation activation = ClipActivation::QuickGelu;
    int eos = 49407;                    // the token whose state is the pooled embedding
};

// Sizes from the weights, which are named as in Hugging Face's files (keys.h). Where no hint says otherwise: heads of 64,
// quick GELU up to CLIP-L's width of 768 and erf above, the end token where CLIP's vocabulary has it (49407; the last one of
// smaller vocabularies). Throws BadFile where the weights are no text tower.
ClipTextConfig read_clip_text_config(const gpu::Weights& weights, const ClipTextHints& hints = {});

// "clip-l", "clip-h", "clip-g": the published sizes. Throws Error{Usage} for others.
ClipTextConfig published_clip_text(std::string_view name);

// The network as an expression. A value: cheap handles on its weights. Names below `s`: text_model.*, text_projection.weight
class ClipText {
public:
    ClipText(const Scope& s, const ClipTextConfig& config);

    const ClipTextConfig& config() const { return config_; }

    // Rows of the token table: ids I32 [B, T] -> F32 [B, T, width].
    Tensor tokens(const Tensor& ids) const;
    // The states before the first layer and after each: layers + 1 tensors [B, T, width]. `tokens` [B, T, width] without
    // positions, T up to config().positions. Throws Error{InvalidGraph} for other shapes.
    std::vector<Tensor> states(const Tensor& tokens) const;
    Tensor normed(const Tensor& state) const { return final_norm_(state); }
    // The normed last state at one position of each row: I32 [B] -> [B, width].
    Tensor pooled(const Tensor& normed, const Tensor& positions) const;
    bool can_project() const { return projection_.has_value(); }
    Tensor projected(const Tensor& pooled) const;               // [B, width] -> [B, projection]

private:
    ClipTextConfig config_;
    Tensor token_table_, position_table_;
    std::vector<ClipLayer> layers_;
    nn::LayerNorm final_norm_;
    std::optional<nn::Linear> projection_;
};

}  // namespace nodes
