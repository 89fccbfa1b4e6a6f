// Subgraphs: a document inside of a document, with typed ports.
//
// A document holds subgraphs by name; a node of type "subgraph:NAME" is one use of it, and any number of them share what is
// inside. Inside, a node `subgraph.input` is an input of those nodes and `subgraph.output` an output; the port has the node's
// name, and its type is the one that the port states, else that of what it is linked to. What is linked into a
// `subgraph.input` inside is what the port gives where a use has no link. A port of which nothing inside needs a value may
// stay unlinked.
//
// The field "params" of a subgraph, {"steps": "sample.steps"}, makes parameters of nodes inside parameters of every use.
// Its fields "title", "category" and "help" are what a person reads; "version" counts as a node type's does. Subgraphs may
// use others of the same document, but not themselves.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "nodes/core/document.h"

namespace nodes {

struct SocketType;

// How deep subgraphs may stand one in another. What uses deeper ones does not run, and validate() says so.
inline constexpr std::size_t deepest_subgraph = 64;

// NAME of a type "subgraph:NAME", else empty.
std::string subgraph_of(const std::string& type);
std::string subgraph_type_id(const std::string& name);

bool is_port(const std::string& type);      // subgraph.input or subgraph.output

// Names of the subgraphs that nodes of `content` use.
std::set<std::string> used_subgraphs(const Document& content);

// The declaration that uses of a subgraph have; `content` as Document::inside() gives it.
std::shared_ptr<const Node> subgraph_type(const std::string& name, const Document& content);

// A parameter of a subgraph and where it acts: (name, parameter of a node inside).
std::vector<std::pair<std::string, Endpoint>> subgraph_params(const Document& content);

// The type of a port, or null where nothing says: of a `subgraph.input` what its readers take.
const SocketType* port_type(const Document& content, const NodeRecord& port);

// What is wrong with the ports and parameters of a subgraph; each names a node inside, or none.
struct SubgraphProblem {
    std::string node, message;
};
std::vector<SubgraphProblem> subgraph_problems(const Document& content);

// Makes a subgraph of some nodes and puts one use of it in their place, in `*made`. Links that cross become ports, named
// after the sockets inside. Throws Error{InvalidGraph} where a path leads out of the nodes and back.
Document grouped(const Document& document, const std::vector<std::string>& ids, const std::string& name, std::string* made = nullptr);

// The other way: the nodes inside in the place of one use, with its parameters. The subgraph itself stays.
Document ungrouped(const Document& document, const std::string& use);

}  // namespace nodes
