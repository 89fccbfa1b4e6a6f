#include "nodes/models/clip/layer.h"

#include "gpu/base/format.h"

namespace nodes {
namespace {

nn::MultiHeadAttention self_attention(const Scope& s, int width, int heads) {
    return {nn::Linear(s / "q_proj", width, width), nn::Linear(s / "k_proj", width, width), nn::Linear(s / "v_proj", width, width),
            nn::Linear(s / "out_proj", width, width), heads};
}

}  // namespace

ClipLayer::ClipLayer(const Scope& s, int width, int inner, int heads, ClipActivation activation)
    : norm1(s / "layer_norm1", width),
      norm2(s / "layer_norm2", width),
      attention(self_attention(s / "self_attn", width, heads)),
      fc1(s / "mlp.fc1", width, inner),
      fc2(s / "mlp.fc2", inner, width),
      activation(activation) {}

Tensor ClipLayer::operator()(const Tensor& x, bool causal) const {
    const Tensor h = x + attention(norm1(x), {}, {.causal = causal});                  // [B, T, width]
    const Tensor inner = fc1(norm2(h));                                                // [B, T, 4 width]
    return h + fc2(activation == ClipActivation::QuickGelu ? gpu::quick_gelu(inner) : gpu::gelu(inner));
}

std::vector<ClipLayer> clip_layers(const Scope& s, int count, int width, int inner, int heads, ClipActivation activation) {
    std::vector<ClipLayer> layers;
    for (int i = 0; i < count; ++i) layers.emplace_back(s / gpu::format("encoder.layers.{}", i), width, inner, heads, activation);
    return layers;
}

}  // namespace nodes
