#include "nodes/latent/cells.h"

namespace nodes {
namespace {

struct LatentPick final : Node {
    LatentPick() : Node({.id = "latent.pick", .version = 1, .title = "Pick from Batch", .category = "Latent",
                         .help = "Takes some latents out of a batch."}) {}

    In<Latent>  latent{this, "latent", "A batch"};
    Param<int>  index {this, "index", "The first one taken, counted from 0; negative numbers count from the end", {.initial = 0, .min = -4096, .max = 4095}};
    Param<int>  count {this, "count", "How many", {.initial = 1, .min = 1, .max = 4096}};
    Out<Latent> picked{this, "latent", "Those taken"};

    void compute(Eval& ev) const override {
        const Latent& source = ev[latent];
        const std::int64_t first = ev[index] < 0 ? source.batch() + ev[index] : ev[index], last = first + ev[count];
        if (first < 0 || first >= source.batch()) ev.fail(index, "expected {} to {}, got {}", -source.batch(), source.batch() - 1, ev[index]);
        if (last > source.batch()) ev.fail(count, "expected at most {} from there, got {}", source.batch() - first, ev[count]);
        Latent made = source.with_mask({}).with(gpu::slice(source.tensor, 0, first, last));
        if (source.mask) made = made.with_mask(source.mask.size(0) == 1 ? source.mask : gpu::slice(source.mask, 0, first, last));
        ev.set(picked, evaluated(made));
    }
};

}  // namespace

REGISTER_NODE(latent_pick, LatentPick)

}  // namespace nodes
