#include "nodes/core/node.h"
#include "nodes/training/loss.h"

namespace nodes {
namespace {

struct LossCoarse final : Node {
    LossCoarse() : Node({.id = "loss.coarse", .version = 1, .title = "Coarse Loss", .category = "Loss",
                         .help = "Another loss of what is coarse: cells of both sides are averaged first. Summed over factors it is a multiscale loss (arXiv:2301.11093)."}) {}

    In<LossRef>  of    {this, "of", "Of the averages"};
    Param<int>   factor{this, "factor", "Sides of a cell", {.initial = 2, .min = 1, .max = 256}};
    Out<LossRef> loss  {this, "loss", "The term"};

    void compute(Eval& ev) const override { ev.set(loss, coarse_loss(ev[of], ev[factor])); }
};

}  // namespace

REGISTER_NODE(loss_coarse, LossCoarse)

}  // namespace nodes
