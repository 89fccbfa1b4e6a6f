#include "nodes/latent/cells.h"

namespace nodes {
namespace {

enum class Turn { Quarter, Half, ThreeQuarters };

struct LatentRotate final : Node {
    LatentRotate() : Node({.id = "latent.rotate", .version = 1, .title = "Rotate Latent", .category = "Latent",
                           .help = "Turns latents clockwise by quarter turns. Cells are not turned inside: some steps of sampling put that right."}) {}

    In<Latent>  latent {this, "latent", "Latents to turn"};
    Param<Turn> angle  {this, "angle", "Degrees, clockwise", {.initial = Turn::Quarter, .names = {"90", "180", "270"}}};
    Out<Latent> rotated{this, "latent", "Turned latents"};

    void compute(Eval& ev) const override {
        const Latent& source = ev[latent];
        const auto turn = [&](const Tensor& x) {
            switch (ev[angle]) {
                case Turn::Quarter: return gpu::flip(gpu::transpose(x, 2, 3), 3);
                case Turn::Half: return gpu::flip(gpu::flip(x, 2), 3);
                case Turn::ThreeQuarters: break;
            }
            return gpu::flip(gpu::transpose(x, 2, 3), 2);
        };
        Latent plain = source.with_mask({});
        Latent made = plain.with(turn(source.tensor));
        ev.set(rotated, evaluated(source.mask ? made.with_mask(turn(source.mask)) : made));
    }
};

}  // namespace

REGISTER_NODE(latent_rotate, LatentRotate)

}  // namespace nodes
