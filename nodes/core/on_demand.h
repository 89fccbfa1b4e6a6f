// Nodes that change only what certain outputs further down hold: a patch that makes a sampler give one thing more. Where nobody reads such an
// output the node is bypassed in what runs (lowering.h), so that what it would cost is not paid, and everything else keeps its place in the cache. A node class
// derives from ActsOnDemand beside Node:
//
//     struct AttentionRecorder final : Node, ActsOnDemand {
//         ...
//         const SocketType& acts_for() const override { return socket_type<Attention>(); }
//     };
#pragma once

#include "nodes/core/document.h"
#include "nodes/core/socket_type.h"

namespace nodes {

class ActsOnDemand {
public:
    virtual ~ActsOnDemand() = default;
    // Of the outputs, on nodes that depend on this one.
    virtual const SocketType& acts_for() const = 0;
};

// Nodes that act on demand, of which nobody demands anything. The document must have no wires and subgraphs left.
std::vector<std::string> undemanded(const Document& document);

}  // namespace nodes
