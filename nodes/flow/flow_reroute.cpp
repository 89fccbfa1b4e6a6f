#include "nodes/core/any_type.h"
#include "nodes/core/node.h"

namespace nodes {
namespace {

struct FlowReroute final : Node {
    FlowReroute() : Node({.id = "flow.reroute", .version = 1, .title = "Reroute", .category = "Flow",
                          .help = "A bend in a wire: passes on what it gets. It never runs.", .wire = true}) {}

    In<Value>  in {this, "value", "Anything", {.optional = true}};
    Out<Value> out{this, "value", "The same"};

    // Lowering takes it out of the graph (nodes/core/lowering.h).
    void compute(Eval& ev) const override {
        if (ev.has(in)) ev.set(out, ev[in]);
    }
};

}  // namespace

REGISTER_NODE(flow_reroute, FlowReroute)

}  // namespace nodes
