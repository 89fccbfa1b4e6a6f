#include "nodes/core/node.h"
#include "nodes/training/loss.h"

namespace nodes {
namespace {

struct LossDifference final : Node {
    LossDifference() : Node({.id = "loss.difference", .version = 1, .title = "Difference", .category = "Loss",
                             .help = "The mean difference of what a network made and what it should have made, element by element."}) {}

    Param<Difference> kind{this, "kind", "square; absolute; huber: pseudo-Huber (arXiv:2403.16728), a square that turns into a line; log_cosh: the same without a choice where",
                           {.initial = Difference::Square, .names = {"square", "absolute", "huber", "log_cosh"}}};
    Param<double>     turn{this, "turn", "Where huber turns from a square into a line", {.initial = 0.1, .min = 1e-6, .max = 1000, .decimals = 6}};
    Out<LossRef>      loss{this, "loss", "The term"};

    void compute(Eval& ev) const override { ev.set(loss, difference_loss(ev[kind], ev[turn])); }
};

}  // namespace

REGISTER_NODE(loss_difference, LossDifference)

}  // namespace nodes
