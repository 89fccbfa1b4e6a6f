#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/conditioning.h"

namespace nodes {
namespace {

struct ConditioningStrength final : Node {
    ConditioningStrength() : Node({.id = "conditioning.strength", .version = 1, .title = "Conditioning Strength", .category = "Conditioning",
                                  .help = "Sets the weight of a prompt where it is combined with others."}) {}

    In<Conditioning>  conditioning{this, "conditioning", "What to weigh"};
    Param<double>     strength    {this, "strength", "Its weight, times the one that it has", {.initial = 1, .min = 0, .max = 10, .step = 0.05}};
    Out<Conditioning> weighed     {this, "conditioning", "The same with another weight"};

    void compute(Eval& ev) const override {
        Conditioning made = ev[conditioning];
        for (ConditioningEntry& entry : made.entries) entry.strength *= ev[strength];
        ev.set(weighed, std::move(made));
    }
};

}  // namespace

REGISTER_NODE(conditioning_strength, ConditioningStrength)

}  // namespace nodes
