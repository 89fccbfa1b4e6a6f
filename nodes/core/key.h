// Cache keys: hash(node id, version, declared parameters, keys of the inputs). Never of pixels.
#pragma once

#include <QJsonValue>
#include <string>
#include <vector>

#include "gpu/base/hash.h"
#include "nodes/core/node.h"

namespace nodes {

// The key of a node that computes from `params` (canonical, in order of declaration, file names absolute) and `inputs`
// (one per declared input: the key of the output that is linked, or Hash{} when nothing is). Input files enter by
// file_key; where an output is written does not enter, for it changes no value.
gpu::Hash node_key(const Node& node, const std::vector<QJsonValue>& params, const std::vector<gpu::Hash>& inputs);

// The key of one output of a node.
gpu::Hash output_key(const gpu::Hash& node, const std::string& socket);

// What identifies a file: its content below 1 MiB, else its path, size and time of change. A missing file has a key too
// (of its path), so that a graph with a missing file can be planned and fails in the node that reads it.
gpu::Hash file_key(const std::string& path);

}  // namespace nodes
