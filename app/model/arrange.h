// Where nodes go when somebody wants order: pure arithmetic on a document and the sizes of its nodes.
#pragma once

#include <QPointF>
#include <QSizeF>
#include <map>

#include "app/model/ids.h"
#include "nodes/core/document.h"

namespace app {

// Columns along the wires, each node right of all that it reads and near to what reads it; within a column ordered so that
// few wires cross (barycentres, Sugiyama et al. 1981). Only nodes with a size move; their upper left corner stays.
std::map<NodeId, QPointF> layered(const nodes::Document& document, const std::map<NodeId, QSizeF>& sizes);

// Left edges in one line and so on; Spread gives equal gaps between the outermost two, along the longer way.
enum class Edge { Left, Right, Top, Bottom, Spread };
std::map<NodeId, QPointF> aligned(const nodes::Document& document, const std::map<NodeId, QSizeF>& sizes, Edge edge);

}  // namespace app
