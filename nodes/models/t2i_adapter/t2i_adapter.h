// T2I-Adapter (arXiv:2302.08453): a small network that turns a picture into features which join the UNet's way down, once for all
// steps. The three published kinds, full, full for SDXL and light, in the original and in diffusers' layout.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "gpu/nn/modules.h"
#include "nodes/types/control.h"

namespace nodes {

namespace nn = gpu::nn;
using gpu::Scope;

// Whether a file holds one.
bool is_t2i_adapter(const gpu::Checkpoint& file);

// Adds its weights under the original names ("body.2.in_conv.weight").
void add_t2i_adapter_weights(gpu::Weights& into, const gpu::Checkpoint& file);

class T2iAdapter {
public:
    // Sizes are read from the scope's shapes. Throws BadFile where these are no adapter's.
    explicit T2iAdapter(const Scope& s);

    // The picture's sides must be multiples of it.
    int unshuffle() const { return unshuffle_; }
    std::int64_t picture_channels() const { return picture_channels_; }
    // picture [N, 1 or 3, H, W] -> what joins input blocks (and for SDXL the middle), by number.
    Residuals operator()(const Tensor& picture) const;

private:
    struct Block {                       // a residual block of the full form
        std::optional<nn::Conv2d> down, in;
        nn::Conv2d block1, block2;
        bool pools = false;              // halves the sides by means, where `down` is no convolution
        Tensor operator()(Tensor x) const;
    };
    struct Extractor {                   // a level of the light form
        nn::Conv2d in;
        std::vector<Block> body;
        nn::Conv2d out;
        bool pools = false;
        Tensor operator()(Tensor x) const;
    };
    bool sdxl_ = false;
    int unshuffle_ = 8;
    std::int64_t picture_channels_ = 3;
    std::optional<nn::Conv2d> conv_in_;
    std::vector<Block> body_;
    std::vector<Extractor> light_;
};

std::shared_ptr<const ControlNetwork> make_t2i_adapter(const gpu::Checkpoint& file, const std::string& name);

}  // namespace nodes
