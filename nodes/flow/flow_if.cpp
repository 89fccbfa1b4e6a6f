#include "nodes/core/any_type.h"
#include "nodes/core/node.h"
#include "nodes/types/number.h"

namespace nodes {
namespace {

struct FlowIf final : Node {
    FlowIf() : Node({.id = "flow.if", .version = 1, .title = "If", .category = "Flow",
                     .help = "One of two values. What the other one needs does not run."}) {}

    In<double>  test     {this, "test", "Anything but 0: yes. In place of the parameter", {.optional = true}};
    In<Value>   yes      {this, "yes", "Passed on where the condition holds", {.lazy = true}};
    In<Value>   no       {this, "no", "Passed on where it does not", {.lazy = true}};
    Param<bool> condition{this, "condition", "Which one, where nothing is linked into test", {.initial = true}};
    Out<Value>  value    {this, "value", "The one that was chosen", "", "yes"};

    bool wants(Eval& ev, const SocketInfo& input) const override { return (input.name == yes.name()) == holds(ev); }
    void compute(Eval& ev) const override { ev.set(value, holds(ev) ? ev[yes] : ev[no]); }

private:
    bool holds(Eval& ev) const { return ev.has(test) ? ev[test] != 0 : ev[condition]; }
};

}  // namespace

REGISTER_NODE(flow_if, FlowIf)

}  // namespace nodes
