#include "nodes/core/node.h"
#include "nodes/training/loss.h"

namespace nodes {
namespace {

struct LossWeighted final : Node {
    LossWeighted() : Node({.id = "loss.weighted", .version = 1, .title = "Weighted Loss", .category = "Loss",
                           .help = "Another loss, whose places count as a map says, the same for all items. Masks of single pictures come with the dataset."}) {}

    In<LossRef>  of  {this, "of", "What is weighed"};
    In<Mask>     map {this, "map", "How much each place counts, resized to what is compared"};
    Out<LossRef> loss{this, "loss", "The term"};

    void compute(Eval& ev) const override { ev.set(loss, weighted_loss(ev[of], ev[map])); }
};

}  // namespace

REGISTER_NODE(loss_weighted, LossWeighted)

}  // namespace nodes
