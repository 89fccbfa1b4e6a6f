#include "nodes/latent/cells.h"

namespace nodes {
namespace {

enum class Axis { Horizontal, Vertical };

struct LatentFlip final : Node {
    LatentFlip() : Node({.id = "latent.flip", .version = 1, .title = "Flip Latent", .category = "Latent",
                         .help = "Mirrors latents. Cells are not mirrored inside: some steps of sampling put that right."}) {}

    In<Latent>  latent {this, "latent", "Latents to mirror"};
    Param<Axis> axis   {this, "axis", "Horizontal swaps left and right, vertical top and bottom", {.initial = Axis::Horizontal, .names = {"horizontal", "vertical"}}};
    Out<Latent> flipped{this, "latent", "Mirrored latents"};

    void compute(Eval& ev) const override {
        const Latent& source = ev[latent];
        const int along = ev[axis] == Axis::Horizontal ? 3 : 2;
        Latent made = source.with(gpu::flip(source.tensor, along));
        ev.set(flipped, evaluated(source.mask ? made.with_mask(gpu::flip(source.mask, along)) : made));
    }
};

}  // namespace

REGISTER_NODE(latent_flip, LatentFlip)

}  // namespace nodes
