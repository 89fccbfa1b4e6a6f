// Node types that a run makes for itself, beside those of the registry: the program lists them nowhere.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace nodes {

class Node;

// Ids of such types begin so; find_node_type() finds them too.
inline constexpr std::string_view made_type_prefix = "made:";

// The type of this id, made by `make` the first time and kept for ever. Both functions may be called from any thread.
const Node& made_type(const std::string& id, const std::function<std::unique_ptr<Node>()>& make);
const Node* find_made_type(std::string_view id);      // null where made_type() was not asked for it

}  // namespace nodes
