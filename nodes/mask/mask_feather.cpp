#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/mask.h"

namespace nodes {
namespace {

enum class Side { Both, Outside, Inside };

struct MaskFeather final : Node {
    MaskFeather() : Node({.id = "mask.feather", .version = 1, .title = "Feather Mask", .category = "Mask",
                          .help = "Softens the edges of masks by a Gaussian blur."}) {}

    In<Mask>      mask {this, "mask", "Masks to soften"};
    Param<double> sigma{this, "sigma", "Standard deviation of the blur", {.initial = 4, .min = 0, .max = 256, .step = 0.5, .unit = "px"}};
    Param<Side>   side {this, "side", "Where the edge becomes soft: on both sides, only outside so that what was chosen stays so, or only inside so that nothing "
                                      "new is chosen",
                        {.initial = Side::Both, .names = {"both", "outside", "inside"}}};
    Out<Mask>     soft {this, "mask", "Soft masks"};

    void compute(Eval& ev) const override {
        if (ev[sigma] == 0) return ev.set(soft, ev[mask]);
        const Tensor sharp = ev[mask].tensor;
        Tensor blurred = gpu::gaussian_blur(sharp, ev[sigma]);
        // A straight edge blurs to one half at its place: there the outer half begins at 1 and the inner one at 0.
        if (ev[side] == Side::Outside) blurred = gpu::maximum(sharp, 2.0 * blurred);
        if (ev[side] == Side::Inside) blurred = gpu::minimum(sharp, 2.0 * blurred - 1.0);
        ev.set(soft, evaluated(make_mask(gpu::clamp(blurred, 0, 1))));
    }
};

}  // namespace

REGISTER_NODE(mask_feather, MaskFeather)

}  // namespace nodes
