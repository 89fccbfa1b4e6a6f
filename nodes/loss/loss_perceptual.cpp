#include "nodes/core/node.h"
#include "nodes/training/loss.h"

namespace nodes {
namespace {

struct LossPerceptual final : Node {
    LossPerceptual() : Node({.id = "loss.perceptual", .version = 1, .title = "Perceptual Difference", .category = "Loss",
                             .help = "The mean squared difference of the states that an image encoder has of two pictures (after arXiv:1801.03924). For trainers that make pictures."}) {}

    In<Vision>   judge{this, "judge", "The image encoder, which stays as it is"};
    Out<LossRef> loss {this, "loss", "The term"};

    void compute(Eval& ev) const override { ev.set(loss, perceptual_loss(ev[judge])); }
};

}  // namespace

REGISTER_NODE(loss_perceptual, LossPerceptual)

}  // namespace nodes
