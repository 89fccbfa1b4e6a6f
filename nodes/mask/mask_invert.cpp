#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/mask.h"

namespace nodes {
namespace {

struct MaskInvert final : Node {
    MaskInvert() : Node({.id = "mask.invert", .version = 1, .title = "Invert Mask", .category = "Mask",
                         .help = "Chooses what was not chosen."}) {}

    In<Mask>  mask    {this, "mask", "Masks to turn round"};
    Out<Mask> inverted{this, "mask", "1 less the mask"};

    void compute(Eval& ev) const override { ev.set(inverted, evaluated(make_mask(1.0 - ev[mask].tensor))); }
};

}  // namespace

REGISTER_NODE(mask_invert, MaskInvert)

}  // namespace nodes
