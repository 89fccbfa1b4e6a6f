// Names of an autoencoder's weights. Inside there is one naming, that of the ldm checkpoints without their prefix
// ("encoder.down.0.block.1.conv1.weight", "quant_conv.weight"); files have it with prefixes, or diffusers'
// ("encoder.down_blocks.0.resnets.1.conv1.weight"). Weights of attentions are matrices inside, and 1x1 convolutions in ldm's files.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/nn/scope.h"

namespace nodes {

// Both directions for one number of levels, on which diffusers' numbering of the decoder depends. Names may end anywhere below a
// layer ("...conv1.weight", "...conv1"). An empty string for a name that has no counterpart.
class VaeNames {
public:
    explicit VaeNames(int levels);

    std::string ldm(std::string_view diffusers) const;
    std::string diffusers(std::string_view ldm) const;

private:
    enum class Layer { Plain, Residual, Attention };
    struct Row {
        std::string ldm, diffusers;
        Layer layer = Layer::Plain;
        bool numbered = false;      // a number follows, the same in both
    };
    static std::string renamed(std::string_view name, const std::vector<Row>& rows, bool to_ldm);
    std::vector<Row> rows_;
};

enum class VaeKind { Kl, Vq, Temporal };

// Where an autoencoder is among a file's tensors, and what it is; nothing where there is none. A tiny autoencoder is none of these.
struct VaePlace {
    std::string prefix;             // "first_stage_model.", "vae.", ""
    bool diffusers = false;
    int levels = 0;
    VaeKind kind = VaeKind::Kl;
};
std::optional<VaePlace> find_vae(const gpu::Checkpoint& file, std::string_view prefix = "auto");

// The autoencoder of a file, or the one below `prefix` ("auto": where it is found), under ldm's names, attention weights as matrices.
// Discriminators, averages and everything outside are left out; names of the two halves that no table knows stay, so that
// Scope::finish() tells them. Throws BadFile where there is none.
void add_vae_weights(gpu::Weights& into, const gpu::Checkpoint& file, std::string_view prefix = "auto");

enum class VaeLayout { Ldm, Diffusers };
// The weights as a file of that layout has them: names with `prefix` in front, attention weights in their shape there. The bytes
// are those of `weights`. Throws InvalidGraph for names that have no counterpart.
std::vector<gpu::TensorEntry> vae_entries(const gpu::Weights& weights, VaeLayout layout, std::string_view prefix = "");

}  // namespace nodes
