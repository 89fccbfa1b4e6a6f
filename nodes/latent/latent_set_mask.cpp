#include "nodes/latent/cells.h"
#include "nodes/types/mask.h"

namespace nodes {
namespace {

struct LatentSetMask final : Node {
    LatentSetMask() : Node({.id = "latent.set_mask", .version = 1, .title = "Set Latent Mask", .category = "Latent",
                            .help = "Says which part of a latent a sampler repaints; the rest stays as it is."}) {}

    In<Latent>  latent{this, "latent", "Latents"};
    In<Mask>    mask  {this, "mask", "White is repainted, black is kept, gray in part; stretched over the latent. Nothing connected takes a mask away",
                       {.optional = true}};
    Param<bool> hard  {this, "hard", "Only black and white, split at a half", {.initial = false, .advanced = true}};
    Out<Latent> masked{this, "latent", "Latents with their mask"};

    void compute(Eval& ev) const override {
        const Latent& source = ev[latent];
        if (!ev.has(mask)) {
            ev.set(masked, source.with_mask({}));
            return;
        }
        if (ev[mask].batch() != 1 && ev[mask].batch() != source.batch())
            ev.fail(mask, "expected one mask or {}, one for each latent, got {}", source.batch(), ev[mask].batch());
        Tensor map = gpu::clamp(gpu::resize(ev[mask].tensor, source.height(), source.width(), gpu::Filter::Bilinear), 0, 1);
        if (ev[hard]) map = gpu::cast(gpu::less_equal(gpu::full({}, 0.5), map), gpu::Dtype::F32);
        ev.set(masked, evaluated(source.with_mask(map)));
    }
};

}  // namespace

REGISTER_NODE(latent_set_mask, LatentSetMask)

}  // namespace nodes
