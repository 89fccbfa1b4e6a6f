#include "nodes/core/any_type.h"

#include <set>

#include "nodes/core/node.h"
#include "nodes/core/subgraph.h"

namespace nodes {

const SocketType* flowing_type(const Document& document, const Endpoint& output) {
    std::set<Endpoint> seen;
    for (Endpoint at = output; seen.insert(at).second;) {
        const NodeRecord* record = document.find(at.node);
        const Node* type = record ? document.type_of(*record) : nullptr;
        const SocketInfo* socket = type ? type->output(at.socket) : nullptr;
        if (!socket) return nullptr;
        if (!socket->type->any) return socket->type;
        const Link* link = document.link_into({at.node, socket->follows.empty() ? socket->name : socket->follows});
        if (!link) return is_port(record->type) ? port_type(document, *record) : nullptr;
        at = link->from;
    }
    return nullptr;      // a cycle
}

}  // namespace nodes
