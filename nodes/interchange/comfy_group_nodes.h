// Group nodes of ComfyUI's editor before it had subgraphs (2023 to 2025): a node of type "workflow>NAME", earlier
// "workflow/NAME", stands for the nodes of the file's extra.groupNodes[NAME].
#pragma once

#include <QJsonArray>
#include <QJsonObject>

namespace nodes {

// Such a group as the definition of a subgraph (comfy_graph_ui.cpp reads them), inner nodes by their index. Sockets have the
// names that an instance shows: those of the inner nodes, with a node's title in front where one comes twice. What is malformed
// is left for the reader to refuse.
QJsonObject comfy_group_definition(const QJsonObject& group);

// The widgets of an instance that holds `count` values, in their order: pairs [inner node, widget], an empty widget for the
// buttons in between that store a value as well. Empty where no way of counting fits.
QJsonArray comfy_group_widgets(const QJsonObject& group, qsizetype count);

}  // namespace nodes
