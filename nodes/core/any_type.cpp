#include "nodes/core/any_type.h"

#include <set>

#include "nodes/core/node.h"

namespace nodes {

const SocketType* flowing_type(const Document& document, const Endpoint& output) {
    std::set<Endpoint> seen;
    for (Endpoint at = output; seen.insert(at).second;) {
        const NodeRecord* record = document.find(at.node);
        const Node* type = record ? find_node_type(record->type) : nullptr;
        const SocketInfo* socket = type ? type->output(at.socket) : nullptr;
        if (!socket) return nullptr;
        if (!socket->type->any) return socket->type;
        const Link* link = document.link_into(at);
        if (!link) return nullptr;
        at = link->from;
    }
    return nullptr;      // a cycle
}

}  // namespace nodes
