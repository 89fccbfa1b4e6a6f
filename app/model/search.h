// Finding node types by what a person types.
#pragma once

#include <QString>
#include <functional>
#include <vector>

#include "nodes/core/node.h"

namespace app {

// How well `query` matches a node type, 0: not at all. Every word of the query has to be found in title, id, category,
// help or a name of other tools and papers: as a word's beginning, inside, or (title and id) as letters in order
// ("ldim" finds "Load Image").
int match_score(const QString& query, const nodes::NodeInfo& info);

// The types that match and pass the filter, best first, then by title. An empty query finds all, by category and title.
std::vector<const nodes::Node*> search_types(const QString& query,
                                             const std::function<bool(const nodes::Node&)>& filter = {});

// The name of other tools or papers that `query` was found by, where the title does not hold it; else empty.
QString other_name(const QString& query, const nodes::NodeInfo& info);

}  // namespace app
