// What the scene knows of a graph: names. Everything else is asked from GraphModel and RunController.
#pragma once

#include <QString>
#include <compare>
#include <string>

#include "nodes/core/document.h"

namespace app {

using NodeId = std::string;  // the id of a node in the document

using FrameId = std::string;  // the id of a frame, nodes/core/frames.h

struct SocketId {
    NodeId node;
    std::string name;
    bool output = false;

    bool empty() const { return node.empty(); }
    nodes::Endpoint endpoint() const { return {node, name}; }
    friend auto operator<=>(const SocketId&, const SocketId&) = default;
};

struct LinkId {
    nodes::Endpoint from;  // an output
    nodes::Endpoint to;    // an input

    SocketId source() const { return {from.node, from.socket, true}; }
    SocketId sink() const { return {to.node, to.socket, false}; }
    friend auto operator<=>(const LinkId&, const LinkId&) = default;
};

// Engine text is UTF-8 in std::string, Qt text is QString.
inline QString qt(const std::string& text) { return QString::fromStdString(text); }

}  // namespace app
