// What moves while a diffusion network learns: all of it, low-rank changes beside its layers (LoRA, arXiv:2106.09685), the keys and values of
// its cross-attention (Custom Diffusion, arXiv:2212.04488), or nothing, where only a word is learned (textual inversion, arXiv:2208.01618).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nodes/models/unet/unet.h"
#include "nodes/training/parameters.h"
#include "nodes/types/trained.h"

namespace nodes {

// Immutable.
class Movement {
public:
    virtual ~Movement() = default;
    virtual const UnetConfig& config() const = 0;
    virtual const ModelInfo& info() const = 0;
    virtual std::vector<Parameter> parameters() const = 0;
    // What a UnetNetwork is built on: parameters, and what stays as it is. Lazy.
    virtual Scope network(const NamedTensors& parameters) const = 0;
    // Values for Trained. Evaluates.
    virtual std::vector<Value> result(const NamedTensors& parameters) const = 0;
    virtual std::string summary() const = 0;
};
using MovementRef = std::shared_ptr<const Movement>;

// All weights, drawn from the seed where `start` is empty. Gives a Model.
MovementRef whole_network(const UnetConfig& config, const ModelInfo& info, gpu::Weights start, std::uint64_t seed);

enum class LowRankLayers {
    Attention,          // queries, keys, values and outputs of every attention: LoRA as it was published
    Transformers,       // feed-forward layers and projections around the transformers too
    All,                // convolutions and embeddings too: LoCon (arXiv:2309.14859)
};
struct LowRankOptions {
    int rank = 4;
    double alpha = 4;          // the change is alpha / rank up down
    LowRankLayers layers = LowRankLayers::Attention;
    std::uint64_t seed = 0;
};
// Gives a Model with the change, and the change as a PatchRef. The base must be a UNet; its own patches of weights are baked in.
// Throws InvalidGraph.
MovementRef low_rank(const Model& base, const LowRankOptions& options);

// Gives a Model with the new keys and values, and them as a PatchRef.
MovementRef cross_attention(const Model& base);

// Gives nothing.
MovementRef nothing_moves(const Model& base);

}  // namespace nodes
