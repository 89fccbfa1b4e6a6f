#include "app/panels/tool_params.h"

#include <algorithm>
#include <cmath>

namespace app {

std::optional<double> number_of(const GraphModel& model, const NodeId& node, const std::string& param) {
    const QJsonValue value = model.param(node, param);
    return value.isDouble() ? std::optional(value.toDouble()) : std::nullopt;
}

void put_number(QJsonObject& values, const GraphModel& model, const NodeId& node, const std::string& param, double value) {
    const nodes::Node* type = model.declaration(node);
    const nodes::ParamInfo* info = type ? type->param(param) : nullptr;
    if (!info) return;
    value = std::clamp(info->kind == nodes::ParamKind::Int ? std::round(value) : std::round(value * 1e4) / 1e4, info->min, info->max);
    values[qt(param)] = info->canonical(value);
}

}  // namespace app
