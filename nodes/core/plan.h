// What a run will do, before it does it: nodes in order, their parameters and keys, and which results are there
// already.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nodes/core/cache.h"
#include "nodes/core/document.h"
#include "nodes/core/node.h"
#include "nodes/core/paths.h"

namespace nodes {

struct PlannedInput {
    int step = -1;    // in RunPlan::steps, -1: nothing is linked
    int output = -1;  // of that step's node
};

struct PlannedNode {
    const NodeRecord* record = nullptr;  // of the document that was planned, which must outlive the plan
    const Node* type = nullptr;
    std::vector<QJsonValue> params;    // canonical, in order of declaration, file names absolute
    std::vector<PlannedInput> inputs;  // in order of declaration
    gpu::Hash key;
    std::optional<NodeResult> cached;  // taken when the plan was made, so that eviction can not take it back
    bool needed = false;               // false: only results that are cached would read it
    bool deferred = false;  // needed through lazy inputs alone: runs when the node that reads it says so
    bool target = false;
    int readers = 0;  // needed steps that compute and read it
    int loop = -1;    // the step that ends the loop which runs this one, in every iteration; -1: none
    // Steps whose outputs have one reader less when this one is over: its own inputs, and for the end of a loop what the
    // loop read from outside.
    std::vector<int> releases{};
};

// Steps in an order in which every node comes after what it reads.
using RunPlan = std::vector<PlannedNode>;

// The document must have no errors for these targets (validate). `cache` may be null.
RunPlan make_plan(const Document& document, const std::vector<std::string>& targets, const FilePlaces& places,
                  ResultCache* cache);

// Adapts a plan to new parameters of some of its nodes: records as they were planned, and as they are in `document` now. Nodes that read
// files are looked at too.
void replan(RunPlan& plan, const std::vector<std::pair<const NodeRecord*, const NodeRecord*>>& changed, const Document& document, const FilePlaces& places, ResultCache* cache);

}  // namespace nodes
