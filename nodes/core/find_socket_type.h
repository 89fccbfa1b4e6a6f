// Socket types by name, for those who read names from files; socket_types() in registry.h lists them.
#pragma once

#include <string_view>

namespace nodes {

struct SocketType;

// Null where no node type has a socket of it.
const SocketType* find_socket_type(std::string_view name);

}  // namespace nodes
