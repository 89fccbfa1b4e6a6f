// Loop regions: the part of a document that runs several times, once an iteration.
//
// A region lies between a node with LoopPart::Begin and one with LoopPart::End whose input `loop` is linked to the begin's
// output `loop`. Its body is all that depends on the begin without passing through the end; what hangs on the body and leads
// nowhere (a save, a preview) runs in every iteration too. Only the end hands values out. Links are never circular: after an
// iteration the begin's inputs take the values of the end's outputs of the same name, and the body runs again while the
// LoopState among them says so. So the two nodes decide what kind of loop it is; the executor only goes round.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "nodes/core/document.h"
#include "nodes/core/socket_type.h"

namespace nodes {

// What passes through the sockets `loop`.
struct LoopState {
    std::int64_t index = 0;      // of the iteration, from 0
    std::int64_t count = 1;      // iterations at most
    bool again = false;          // set by the end: another iteration follows
    std::vector<std::vector<Value>> collected{};      // of the end's collecting sockets, one value an iteration
};

template <>
struct SocketTraits<LoopState> {
    static constexpr const char* name = "loop";
    static SocketType describe();
};

struct Region {
    std::string begin, end;
    std::set<std::string> body;      // with the begin, without the end
};

// Inner regions before outer ones. A begin with several ends belongs to the first.
std::vector<Region> regions_of(const Document& document);

// What is wrong with the regions: node, socket and message each.
struct RegionProblem {
    std::string node, socket, message;
    bool harmless = false;           // a warning
};
std::vector<RegionProblem> region_problems(const Document& document);

}  // namespace nodes
