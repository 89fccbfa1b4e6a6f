// The patches that act inside one call of a UNet, sorted by kind. Weight patches are merged before, step patches belong to the
// sampler.
#pragma once

#include "gpu/ops.h"
#include "nodes/types/patch.h"

namespace nodes {

struct UnetHooks {
    Patches all;                                       // keeps the others alive
    std::vector<const TokenPatch*> token;
    std::vector<const AttentionPatch*> attention;
    std::vector<const ResidualPatch*> residual;
    std::vector<const InputPatch*> input;
    std::vector<const BlockPatch*> block;
    bool recompute = false;                            // the backward pass keeps what goes into each block and computes the rest again

    UnetHooks() = default;
    explicit UnetHooks(const Patches& patches)
        : all(patches), token(of_kind<TokenPatch>(patches)), attention(of_kind<AttentionPatch>(patches)),
          residual(of_kind<ResidualPatch>(patches)), input(of_kind<InputPatch>(patches)), block(of_kind<BlockPatch>(patches)) {}

    Tensor after(const BlockSite& site, Tensor h, const DenoiserInput& call) const {
        const gpu::Dtype type = h.dtype();
        for (const BlockPatch* patch : block) h = patch->after(site, h, call);
        return gpu::cast(h, type);
    }
};

}  // namespace nodes
