// Three-way merge of documents: two edits of one base become one document.
//
// Each fact (a node's type, one parameter, one link, a field of the layout, a subgraph's content) is taken from the side that
// changed it. Where both changed one fact differently, ours stays and the conflict is told; a node that one side removed and
// the other changed or linked stays. Where both added different nodes under one id, theirs gets a free one, with its links.
// Places on the canvas, and which frame a node is in, are no conflicts.
#pragma once

#include <QJsonValue>
#include <string>
#include <vector>

#include "nodes/core/document.h"

namespace nodes {

struct MergeConflict {
    std::string where;               // "nodes.sample.params.steps", "links.sample.model", "nodes.load"
    QJsonValue base, ours, theirs;   // undefined: not there

    std::string text() const;
};

struct Merged {
    Document document;      // has the path of ours
    std::vector<MergeConflict> conflicts;
};

Merged merge(const Document& base, const Document& ours, const Document& theirs);

}  // namespace nodes
