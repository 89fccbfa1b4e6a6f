#include "nodes/latent/cells.h"

namespace nodes {
namespace {

struct LatentRepeat final : Node {
    LatentRepeat() : Node({.id = "latent.repeat", .version = 1, .title = "Repeat Latent", .category = "Latent",
                           .help = "Repeats a batch, so that one start gives several pictures."}) {}

    In<Latent>  latent  {this, "latent", "Latents to repeat"};
    Param<int>  times   {this, "times", "How often", {.initial = 2, .min = 1, .max = 4096}};
    Out<Latent> repeated{this, "latent", "The batch, again and again"};

    void compute(Eval& ev) const override {
        const Latent& source = ev[latent];
        const gpu::Shape often{ev[times], 1, 1, 1};
        Latent made = source.with_mask({}).with(gpu::repeat(source.tensor, often));
        if (source.mask) made = made.with_mask(source.mask.size(0) == 1 ? source.mask : gpu::repeat(source.mask, often));
        ev.set(repeated, evaluated(made));
    }
};

}  // namespace

REGISTER_NODE(latent_repeat, LatentRepeat)

}  // namespace nodes
