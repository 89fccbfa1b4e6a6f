#include "nodes/core/any_type.h"
#include "nodes/core/node.h"

namespace nodes {
namespace {

struct SubgraphOutput final : Node {
    SubgraphOutput() : Node({.id = "subgraph.output", .version = 1, .title = "Subgraph Output", .category = "Subgraph",
                            .help = "An output of the subgraph that this node stands in, by the name of this node.", .wire = true}) {}

    In<Value>          in   {this, "value", "What the subgraph gives", {.optional = true}};
    Param<std::string> type {this, "type", "Name of the type of the socket, such as image; empty: that of what it is linked to", {}};
    Param<std::string> label{this, "label", "Name to show in place of the node's", {.advanced = true}};
    Param<std::string> help {this, "help", "What the socket is for", {.advanced = true}};
    Param<int>         order{this, "order", "Sockets are shown from the lowest number up", {.initial = 0, .min = -1000, .max = 1000, .advanced = true}};
    Out<Value>         out  {this, "value", "The same"};

    // Lowering takes it out of the graph (nodes/core/lowering.h).
    void compute(Eval& ev) const override {
        if (ev.has(in)) ev.set(out, ev[in]);
    }
};

}  // namespace

REGISTER_NODE(subgraph_output, SubgraphOutput)

}  // namespace nodes
