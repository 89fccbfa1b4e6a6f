#include "nodes/core/registry.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "gpu/base/error.h"
#include "nodes/core/find_socket_type.h"
#include "nodes/core/made_types.h"
#include "nodes/core/node.h"

namespace nodes {

void register_all();  // written by the build

namespace {

struct Registry {
    std::vector<std::unique_ptr<Node>> owned;
    std::vector<const Node*> sorted;
};

Registry& registry() {
    static Registry instance;
    return instance;
}

Registry& filled_registry() {
    static std::once_flag once;
    std::call_once(once, register_all);
    return registry();
}

const Node* find_in(const std::vector<const Node*>& sorted, std::string_view id) {
    const auto at =
        std::ranges::lower_bound(sorted, id, {}, [](const Node* n) -> std::string_view { return n->info().id; });
    return at == sorted.end() || (*at)->info().id != id ? nullptr : *at;
}

// A failure or a `--set` names a socket or a parameter by one word, so inputs and parameters share their names.
void expect_distinct_names(const Node& node) {
    std::set<std::string> taken;
    const auto take = [&](const std::string& name) {
        gpu::check(!name.empty() && name.find('.') == std::string::npos && taken.insert(name).second,
                   gpu::ErrorCode::Failure,
                   "register node type {}: expected distinct names without dots, got '{}' twice", node.info().id, name);
    };
    for (const SocketInfo& input : node.inputs()) take(input.name);
    for (const ParamInfo& param : node.params()) take(param.name);
    taken.clear();
    for (const SocketInfo& output : node.outputs()) take(output.name);
}

}  // namespace

void add_node_type(std::unique_ptr<Node> node) {
    expect_distinct_names(*node);
    auto& [owned, sorted] = registry();
    const auto at = std::ranges::lower_bound(sorted, node->info().id, {}, [](const Node* n) { return n->info().id; });
    gpu::check(at == sorted.end() || (*at)->info().id != node->info().id, gpu::ErrorCode::Failure,
               "register node types: expected one type of id {}, got two", node->info().id);
    sorted.insert(at, node.get());
    owned.push_back(std::move(node));
}

const std::vector<const Node*>& node_types() { return filled_registry().sorted; }

const Node* find_node_type(std::string_view id) {
    return id.starts_with(made_type_prefix) ? find_made_type(id) : find_in(node_types(), id);
}

const Node& registered_node(std::string_view id) {
    const Node* node = find_in(registry().sorted, id);
    gpu::check(node, gpu::ErrorCode::Failure,
               "register node types: expected a type {} before those that are made from it", id);
    return *node;
}

std::vector<const SocketType*> socket_types() {
    std::set<const SocketType*> seen;
    for (const Node* node : node_types()) {
        for (const SocketInfo& socket : node->inputs()) seen.insert(socket.type);
        for (const SocketInfo& socket : node->outputs()) seen.insert(socket.type);
    }
    std::vector<const SocketType*> types(seen.begin(), seen.end());
    std::ranges::sort(types, {}, &SocketType::name);
    return types;
}

const SocketType* find_socket_type(std::string_view name) {
    const std::vector<const SocketType*> types = socket_types();
    const auto at = std::ranges::find(types, name, &SocketType::name);
    return at == types.end() ? nullptr : *at;
}

}  // namespace nodes
