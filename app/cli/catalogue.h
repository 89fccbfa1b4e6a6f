// Node types as JSON and as text: the node reference derives from the declarations.
#pragma once

#include <QJsonObject>
#include <string>

#include "nodes/core/node.h"

namespace app {

QJsonObject node_json(const nodes::Node& node);
QJsonObject param_json(const nodes::ParamInfo& info);
std::string node_text(const nodes::Node& node);

}  // namespace app
