// The patch discriminator of taming-transformers and latent diffusion (arXiv:2012.09841; PatchGAN of arXiv:1611.07004): a number for each
// patch of a picture, high for those of real ones.
#pragma once

#include <optional>
#include <vector>

#include "gpu/nn/scope.h"

namespace nodes {

using gpu::Scope;
using gpu::Tensor;

struct DiscriminatorConfig {
    int width = 64;       // channels of the first layer; they double with each, up to eight times as many
    int layers = 3;       // that halve the map
};

// Named as NLayerDiscriminator's weights are. Batch norms use the batch's statistics: it is there to train against and never used alone.
class PatchDiscriminator {
public:
    PatchDiscriminator(const Scope& s, const DiscriminatorConfig& config);
    Tensor operator()(Tensor x) const;      // [N, 3, H, W] in -1..1 -> [N, 1, h, w]

    // The smallest side of a picture that it can judge.
    static int least_side(const DiscriminatorConfig& config);

private:
    struct BatchNorm {
        Tensor weight, bias;
    };
    struct Layer {
        Tensor weight, bias;      // no bias under a norm
        int stride;
        std::optional<BatchNorm> norm;
        bool leaky = true;
    };
    std::vector<Layer> layers_;
};

// The hinge loss of both sides (arXiv:1705.02894): a discriminator's, of its answers to real and made pictures, and a generator's.
Tensor hinge_loss(const Tensor& real, const Tensor& made);
Tensor generator_loss(const Tensor& made);

}  // namespace nodes
