#include "nodes/latent/cells.h"

namespace nodes {
namespace {

struct LatentBatch final : Node {
    LatentBatch() : Node({.id = "latent.batch", .version = 1, .title = "Batch Latents", .category = "Latent",
                          .help = "Puts latents of one size one behind the other, to be worked on together."}) {}

    In<Latent>  a     {this, "a", "The first ones"};
    In<Latent>  b     {this, "b", "Those behind them"};
    Out<Latent> latent{this, "latent", "All of them"};

    void compute(Eval& ev) const override {
        const Latent &first = ev[a], &second = ev[b];
        check_same_kind(ev, b, second, first);
        Latent made = first.with_mask({}).with(gpu::concat({first.tensor, second.tensor}, 0));
        if (first.mask || second.mask) {
            const auto mask = [](const Latent& latent) {
                const gpu::Shape shape{latent.batch(), 1, latent.height(), latent.width()};
                return latent.mask ? gpu::broadcast_to(latent.mask, shape) : gpu::ones(shape);
            };
            made = made.with_mask(gpu::concat({mask(first), mask(second)}, 0));
        }
        ev.set(latent, evaluated(made));
    }
};

}  // namespace

REGISTER_NODE(latent_batch, LatentBatch)

}  // namespace nodes
