#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/conditioning.h"

namespace nodes {
namespace {

struct ConditioningCombine final : Node {
    ConditioningCombine() : Node({.id = "conditioning.combine", .version = 1, .title = "Combine Conditionings", .category = "Conditioning",
                                 .help = "Both prompts at once: their predictions are averaged, cell by cell where they have areas or masks."}) {}

    In<Conditioning>  a{this, "a", "One conditioning"};
    In<Conditioning>  b{this, "b", "Another one"};
    Out<Conditioning> both{this, "conditioning", "The entries of both"};

    void compute(Eval& ev) const override {
        Conditioning made = ev[a];
        made.entries.insert(made.entries.end(), ev[b].entries.begin(), ev[b].entries.end());
        ev.set(both, std::move(made));
    }
};

}  // namespace

REGISTER_NODE(conditioning_combine, ConditioningCombine)

}  // namespace nodes
