#include "nodes/adapt/control_params.h"
#include "nodes/types/model.h"

namespace nodes {
namespace {

struct ControlApply final : Node {
    ControlApply() : Node({.id = "control.apply", .version = 1, .title = "Apply Control", .category = "Adapt",
                           .help = "Lets a ControlNet or a T2I-Adapter steer a model by a picture, whatever the prompt. Several of them add up."}) {}

    In<Model>     model{this, "model", "The model to steer"};
    ControlParams with {this};
    Out<Model>    out  {this, "model", "The model, steered"};

    void compute(Eval& ev) const override { ev.set(out, ev[model].with(with.patch(ev))); }
};

}  // namespace

REGISTER_NODE(control_apply, ControlApply)

}  // namespace nodes
