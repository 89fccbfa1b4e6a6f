#include "nodes/core/node.h"
#include "nodes/training/loss.h"

namespace nodes {
namespace {

struct LossSum final : Node {
    LossSum() : Node({.id = "loss.sum", .version = 1, .title = "Sum of Losses", .category = "Loss", .help = "Up to four losses, each times its weight."}) {}

    In<LossRef>   a{this, "a", "A loss"};
    In<LossRef>   b{this, "b", "Another one", {.optional = true}};
    In<LossRef>   c{this, "c", "Another one", {.optional = true}};
    In<LossRef>   d{this, "d", "Another one", {.optional = true}};
    Param<double> weight_a{this, "weight_a", "Of the first one", {.initial = 1, .min = 0, .max = 1e6, .decimals = 6}};
    Param<double> weight_b{this, "weight_b", "Of the second one", {.initial = 1, .min = 0, .max = 1e6, .decimals = 6}};
    Param<double> weight_c{this, "weight_c", "Of the third one", {.initial = 1, .min = 0, .max = 1e6, .decimals = 6}};
    Param<double> weight_d{this, "weight_d", "Of the fourth one", {.initial = 1, .min = 0, .max = 1e6, .decimals = 6}};
    Out<LossRef>  loss{this, "loss", "The sum"};

    void compute(Eval& ev) const override {
        std::vector<std::pair<double, LossRef>> terms{{ev[weight_a], ev[a]}};
        if (ev.has(b)) terms.push_back({ev[weight_b], ev[b]});
        if (ev.has(c)) terms.push_back({ev[weight_c], ev[c]});
        if (ev.has(d)) terms.push_back({ev[weight_d], ev[d]});
        ev.set(loss, sum_loss(std::move(terms)));
    }
};

}  // namespace

REGISTER_NODE(loss_sum, LossSum)

}  // namespace nodes
