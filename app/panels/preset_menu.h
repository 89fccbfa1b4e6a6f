// The menu of a node's presets: apply one, save the node's values as one, remove one.
#pragma once

#include <QMenu>
#include <functional>

#include "app/model/graph_model.h"

namespace app {

// Fills the menu whenever it opens. Names are asked for over `window`; `node` says for which node, `failed` is told why something could not
// be done.
void fill_with_presets(QMenu* menu, GraphModel& model, QWidget* window, std::function<NodeId()> node, std::function<void(const QString&)> failed);

}  // namespace app
