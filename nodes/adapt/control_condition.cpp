#include "nodes/adapt/control_params.h"
#include "nodes/types/conditioning.h"

namespace nodes {
namespace {

struct ControlCondition final : Node {
    ControlCondition() : Node({.id = "control.condition", .version = 1, .title = "Control a Prompt", .category = "Adapt",
                               .help = "Lets a ControlNet or a T2I-Adapter steer where this prompt applies, and nowhere else: other prompts of the same "
                                       "picture, and the negative one, stay free of it."}) {}

    In<Conditioning>  conditioning{this, "conditioning", "The prompt to steer"};
    ControlParams     with        {this};
    Out<Conditioning> out         {this, "conditioning", "The prompt with its control"};

    void compute(Eval& ev) const override {
        const PatchRef patch = with.patch(ev);
        Conditioning changed = ev[conditioning];
        for (ConditioningEntry& entry : changed.entries) entry.patches.push_back(patch);
        ev.set(out, std::move(changed));
    }
};

}  // namespace

REGISTER_NODE(control_condition, ControlCondition)

}  // namespace nodes
