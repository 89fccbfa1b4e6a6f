// From the document that a person edits to the one that runs: subgraphs opened, muted and bypassed nodes and bare pieces of
// wire gone, lists unrolled. A document that has none of them stays as it is.
//
// - A computed parameter becomes its number.
// - A use `face` of a subgraph becomes the nodes inside, named `face/encode`; its parameters become theirs.
// - A wire (NodeInfo::wire: reroutes and ports) vanishes: who reads it reads what it reads.
// - A bypassed node vanishes: each output is the input of the same name and type, else the first input of that type; where
//   there is none, or nothing is linked into it, the output is as if it were not linked.
// - A muted node gives nothing. Inputs that may stay unlinked go without it, and nodes that need it are muted too.
// - A node that acts on demand (on_demand.h) counts as bypassed where nobody demands what it acts for.
// - What depends on a list becomes a node an element (lists.h), `sample/07`.
#pragma once

#include <string>
#include <vector>

#include "nodes/core/document.h"
#include "nodes/core/lists.h"

namespace nodes {

// Opens subgraphs, one in another too. Throws Error{InvalidGraph} for a subgraph that holds itself.
Document expanded(const Document& document);

// Computes parameters (expression.h), applies modes and removes wires, on one level: uses of subgraphs count as nodes. To look at the inside of a subgraph by
// itself its ports are kept.
enum class Ports { Removed, Kept };
Document settled(const Document& document, Ports ports = Ports::Removed);

// The input that an output of a bypassed node stands for, or an empty name.
std::string passing_input(const Node& type, const std::string& output);

// What runs: settled(expanded(document)), unrolled. Without `places` lists look at no file. What is wrong with lists is
// appended to `problems`; they stay as they are then.
Document lowered(const Document& document, const FilePlaces* places = nullptr, std::vector<ListProblem>* problems = nullptr);

// The nodes of lowered(document) that a target stands for: itself, its elements where it depends on a list, or for a use of
// a subgraph what its outputs come from and what inside has effects. Throws Error{InvalidGraph} for a node that does not run: muted, bypassed, or a wire.
std::vector<std::string> lowered_targets(const Document& document, const Document& low, const std::vector<std::string>& targets);

}  // namespace nodes
