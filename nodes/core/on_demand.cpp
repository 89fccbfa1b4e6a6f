#include "nodes/core/on_demand.h"

#include <map>
#include <set>

#include "nodes/core/node.h"

namespace nodes {
namespace {

// Whether somebody reads an output of this type of a node that depends on `id`.
bool demanded(const std::multimap<std::string, const Link*>& links, const Document& document, const std::string& id, const SocketType& type) {
    std::set<std::string> seen{id};
    std::vector<std::string> open{id};
    while (!open.empty()) {
        const std::string at = std::move(open.back());
        open.pop_back();
        const Node* node = document.type_of(at);
        for (auto [link, end] = links.equal_range(at); link != end; ++link) {
            const SocketInfo* output = node && at != id ? node->output(link->second->from.socket) : nullptr;
            if (output && output->type == &type) return true;
            if (seen.insert(link->second->to.node).second) open.push_back(link->second->to.node);
        }
    }
    return false;
}

}  // namespace

std::vector<std::string> undemanded(const Document& document) {
    std::vector<std::string> found;
    std::multimap<std::string, const Link*> links;
    for (const std::string& id : document.node_ids()) {
        const auto* acts = dynamic_cast<const ActsOnDemand*>(document.type_of(id));
        if (!acts) continue;
        if (links.empty()) {      // few documents have such a node
            for (const Link& link : document.links()) links.emplace(link.from.node, &link);
        }
        if (!demanded(links, document, id, acts->acts_for())) found.push_back(id);
    }
    return found;
}

}  // namespace nodes
