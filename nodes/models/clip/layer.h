// The transformer that both towers of CLIP are (Radford et al., arXiv:2103.00020, section 2.4): norms before attention and
// feed-forward, residuals around both. Names as in Hugging Face's files.
#pragma once

#include <vector>

#include "gpu/nn/transformer.h"

namespace nodes {

namespace nn = gpu::nn;
using gpu::Scope;
using gpu::Tensor;

enum class ClipActivation {
    QuickGelu,     // x sigmoid(1.702 x): OpenAI's models
    Gelu,          // by erf: OpenCLIP's
};

struct ClipLayer {
    nn::LayerNorm norm1, norm2;         // layer_norm1, layer_norm2
    nn::MultiHeadAttention attention;   // self_attn.{q,k,v,out}_proj
    nn::Linear fc1, fc2;                // mlp.fc1, mlp.fc2
    ClipActivation activation;

    ClipLayer(const Scope& s, int width, int inner, int heads, ClipActivation activation);
    Tensor operator()(const Tensor& x, bool causal) const;      // [B, T, width], unchanged
};

// encoder.layers.N of a tower
std::vector<ClipLayer> clip_layers(const Scope& s, int count, int width, int inner, int heads, ClipActivation activation);

}  // namespace nodes
