// What the graph layer keeps with a node beside what TensorNode shows: every node is one of these.
#pragma once

#include <cstdint>
#include <memory>

#include "gpu/graph/tensor.h"

namespace gpu {

struct GraphNode final : TensorNode, std::enable_shared_from_this<GraphNode> {
    Hash structure;                // of the op's name and its structural attributes
    GraphNode* next = nullptr;     // in its chain of the consing table, under that table's lock
    // The last walk that came by here, and the node's place in it. Under GraphLock.
    std::uint64_t walk = 0;
    int position = -1;

    GraphNode() {}   // a defaulted one would have all of it cleared before its members are
    ~GraphNode();
};

inline GraphNode& graph_node(const Tensor& tensor) { return static_cast<GraphNode&>(*tensor.node()); }

// A number that no walk had before. Under GraphLock.
std::uint64_t begin_walk();

}  // namespace gpu
