// Parameter values of a node, saved under a name. A preset is a graph of one node in a file of its own,
// `presets/TYPE/NAME.heddle` in the program's settings folder: values of older versions are brought up to date as in any graph.
#pragma once

#include <QString>
#include <QStringList>

#include "app/model/graph_model.h"

namespace app {

// Of a node type, in alphabetical order.
QStringList preset_names(const std::string& type);
QString preset_file(const std::string& type, const QString& name);
// What the node's parameters are set to, expressions as they are written; a preset of that name is replaced. Throws gpu::Error{Io}.
void save_preset(const GraphModel& model, const NodeId& id, const QString& name);
// One undo step: parameters that the preset leaves alone go back to their initial values. Expressions that name nodes which are not
// there are left out, and their parameters as they are; they come back as "width = size.width / 2". Throws gpu::Error where the
// file can not be read or is of another node type.
QStringList apply_preset(GraphModel& model, const NodeId& id, const QString& name);
void remove_preset(const std::string& type, const QString& name);

}  // namespace app
