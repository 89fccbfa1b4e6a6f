// Every node type of the program, by id.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nodes {

class Node;
struct SocketType;

// All node types, sorted by id. The first call registers what the build found; the list then only grows by
// add_node_type(). Reading is safe from any thread as long as no type is added.
const std::vector<const Node*>& node_types();

// By id; null when there is none.
const Node* find_node_type(std::string_view id);

// The socket types that some node type reads or writes, sorted by name.
std::vector<const SocketType*> socket_types();

// For the constructors of types that are made from others: a type that is registered already, that is whose file's stem
// comes before in the alphabet. Throws Error{Failure} where there is none.
const Node& registered_node(std::string_view id);

// Adds a type; throws gpu::Error when its id is taken or two of its sockets or parameters share a name. Called by
// REGISTER_NODE and by tests, before any engine thread runs.
void add_node_type(std::unique_ptr<Node> node);

}  // namespace nodes

// Registers a node type; `stem` is the file's stem. The build collects these lines (packaging/cmake/generate.cmake).
#define REGISTER_NODE(stem, Class) \
    void register_##stem() { add_node_type(std::make_unique<Class>()); }
