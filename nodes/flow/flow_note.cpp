#include "nodes/core/node.h"

namespace nodes {
namespace {

struct FlowNote final : Node {
    FlowNote() : Node({.id = "flow.note", .version = 1, .title = "Note", .category = "Flow", .help = "Words for people who read the graph. It never runs.", .wire = true}) {}

    Param<std::string> text{this, "text", "The words", {.multiline = true}};

    void compute(Eval&) const override {}
};

}  // namespace

REGISTER_NODE(flow_note, FlowNote)

}  // namespace nodes
