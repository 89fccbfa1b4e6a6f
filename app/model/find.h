// Finding nodes of a document by what a person types, at all its levels.
#pragma once

#include <QString>
#include <vector>

#include "app/model/ids.h"

namespace app {

struct FindHit {
    std::vector<NodeId> uses;  // of subgraphs, from the outermost: the level that it is at
    NodeId node;
    QString where;             // what was found: "blur: Blur", "prompt.text: red heart", "frame Prompts"
};

// Nodes of which every word of `query` is in the id, the title, the type, the frame's title or the value of a parameter, a
// note's words among them; outermost level first, each from left to right. A subgraph that several nodes use is looked
// into once. At most `limit` hits. An empty query finds nothing.
std::vector<FindHit> find_nodes(const nodes::Document& whole, const QString& query, std::size_t limit = 2000);

}  // namespace app
