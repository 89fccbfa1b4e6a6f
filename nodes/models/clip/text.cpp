#include "nodes/models/clip/text.h"

#include "gpu/base/error.h"
#include "gpu/base/format.h"

namespace nodes {
namespace {

constexpr int clip_end = 49407;

const gpu::Shape* shape_of(const gpu::Weights& weights, std::string_view name, std::size_t rank) {
    const auto at = weights.find(name);
    return at != weights.end() && at->second.entry.shape.size() == rank ? &at->second.entry.shape : nullptr;
}

}  // namespace

ClipTextConfig read_clip_text_config(const gpu::Weights& weights, const ClipTextHints& hints) {
    const gpu::Shape* tokens = shape_of(weights, "text_model.embeddings.token_embedding.weight", 2);
    const gpu::Shape* positions = shape_of(weights, "text_model.embeddings.position_embedding.weight", 2);
    const gpu::Shape* inner = shape_of(weights, "text_model.encoder.layers.0.mlp.fc1.weight", 2);
    gpu::check(tokens && positions && inner, gpu::ErrorCode::BadFile,
               "text encoder: expected token and position embeddings and layers of a CLIP text tower, got {}",
               weights.empty() ? "no tensors" : "tensors such as " + weights.begin()->first);
    ClipTextConfig config;
    config.vocabulary = static_cast<int>((*tokens)[0]);
    config.width = static_cast<int>((*tokens)[1]);
    config.positions = static_cast<int>((*positions)[0]);
    config.inner = static_cast<int>((*inner)[0]);
    config.layers = 0;
    while (weights.contains(gpu::format("text_model.encoder.layers.{}.mlp.fc1.weight", config.layers))) ++config.layers;
    const gpu::Shape* projection = shape_of(weights, "text_projection.weight", 2);
    config.projection = projection ? static_cast<int>((*projection)[0]) : 0;
    config.heads = hints.heads > 0 ? hints.heads : std::max(1, config.width / 64);
    config.activation = hints.activation.value_or(config.width <= 768 ? ClipActivation::QuickGelu : ClipActivation::Gelu);
    config.eos = hints.eos.value_or(config.vocabulary > clip_end ? clip_end : config.vocabulary - 1);
    gpu::check(config.width % config.heads == 0, gpu::ErrorCode::BadFile, "text encoder: expected a number of heads that divides the width {}, got {}",
               config.width, config.heads);
    return config;
}

ClipTextConfig published_clip_text(std::string_view name) {
    if (name == "clip-l") return {};
    if (name == "clip-h")
        return {.width = 1024, .layers = 24, .heads = 16, .inner = 4096, .projection = 1024, .activation = ClipActivation::Gelu};
    gpu::check(name == "clip-g", gpu::ErrorCode::Usage, "text encoder: expected clip-l, clip-h or clip-g, got \"{}\"", std::string(name));
    return {.width = 1280, .layers = 32, .heads = 20, .inner = 5120, .projection = 1280, .activation = ClipActivation::Gelu};
}

ClipText::ClipText(const Scope& s, const ClipTextConfig& c)
    : config_(c),
      token_table_((s / "text_model.embeddings.token_embedding").weight("weight", {c.vocabulary, c.width}, {.bound = 0.035})),
      position_table_((s / "text_model.embeddings.position_embedding").weight("weight", {c.positions, c.width}, {.bound = 0.017})),
      layers_(clip_layers(s / "text_model", c.layers, c.width, c.inner, c.heads, c.activation)),
      final_norm_(s / "text_model.final_layer_norm", c.width) {
    if (c.projection > 0) projection_.emplace(s / "text_projection", c.width, c.projection, false);
}

Tensor ClipText::tokens(const Tensor& ids) const { return gpu::embedding(token_table_, ids); }

std::vector<Tensor> ClipText::states(const Tensor& tokens) const {
    gpu::check(tokens.rank() == 3 && tokens.size(1) >= 1 && tokens.size(1) <= config_.positions && tokens.size(2) == config_.width,
               gpu::ErrorCode::InvalidGraph, "text encoder: expected tokens [B, 1 to {}, {}], got {}", config_.positions, config_.width,
               gpu::to_string(tokens.spec()));
    std::vector<Tensor> states{tokens + gpu::slice(position_table_, 0, 0, tokens.size(1))};      // [B, T, width]
    for (const ClipLayer& layer : layers_) states.push_back(layer(states.back(), true));
    return states;
}

Tensor ClipText::pooled(const Tensor& normed, const Tensor& positions) const {
    const std::int64_t batch = normed.size(0);
    gpu::check(positions.rank() == 1 && positions.size(0) == batch, gpu::ErrorCode::InvalidGraph,
               "text encoder: expected {} end positions, got {}", batch, gpu::to_string(positions.spec()));
    return gpu::squeeze(gpu::gather(normed, gpu::reshape(positions, {batch, 1, 1}), 1), {1});
}

Tensor ClipText::projected(const Tensor& pooled) const {
    gpu::check(can_project(), gpu::ErrorCode::InvalidGraph, "text encoder: expected weights with text_projection, got none");
    return (*projection_)(pooled);
}

}  // namespace nodes
