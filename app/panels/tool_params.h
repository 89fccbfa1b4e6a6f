// Parameters that tools on the picture read and write.
#pragma once

#include <optional>

#include "app/model/graph_model.h"

namespace app {

// Nothing where an expression computes it.
std::optional<double> number_of(const GraphModel& model, const NodeId& node, const std::string& param);

// Into `values`, within the parameter's range: whole numbers, or four digits behind the point.
void put_number(QJsonObject& values, const GraphModel& model, const NodeId& node, const std::string& param, double value);

}  // namespace app
