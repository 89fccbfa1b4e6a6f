// The reference of all node types, from their declarations, as HTML that a browser and QTextBrowser both show.
//
// Links go to "#image.blur" (a node), "#type-image" (a type of sockets) and "graph:pico/lora.heddle" (an example).
#pragma once

#include <QString>
#include <string>
#include <vector>

#include "nodes/core/node.h"

namespace nodes {

// One page that needs nothing else: an index by category, every node, every type of sockets. Examples are told without links.
QString reference_html();

// Title, help, sockets, parameters with their ranges, and the example graphs that use the node.
QString node_html(const Node& node);

// What it is, what it takes, which nodes make it and which read it.
QString socket_type_html(const SocketType& type);

// The graphs that come with Heddle and hold nodes of this type, as names below resources/graphs, sorted. They are read once.
std::vector<std::string> examples_of(const std::string& type);

}  // namespace nodes
