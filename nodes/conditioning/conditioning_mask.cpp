#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/conditioning.h"
#include "nodes/types/mask.h"

namespace nodes {
namespace {

struct ConditioningMask final : Node {
    ConditioningMask() : Node({.id = "conditioning.mask", .version = 1, .title = "Conditioning Mask", .category = "Conditioning",
                              .help = "Limits a prompt to the white of a mask, which is resized to the latent; gray mixes it with the other prompts."}) {}

    In<Conditioning>  conditioning{this, "conditioning", "What to limit"};
    In<Mask>          mask        {this, "mask", "Where it applies"};
    Param<double>     strength    {this, "strength", "Weight of this prompt where others overlap, times the one that it has", {.initial = 1, .min = 0, .max = 10, .step = 0.05}};
    Out<Conditioning> limited     {this, "conditioning", "The limited conditioning"};

    void compute(Eval& ev) const override {
        Conditioning made = ev[conditioning];
        for (ConditioningEntry& entry : made.entries) {
            entry.mask = ev[mask].tensor;
            entry.strength *= ev[strength];
        }
        ev.set(limited, std::move(made));
    }
};

}  // namespace

REGISTER_NODE(conditioning_mask, ConditioningMask)

}  // namespace nodes
