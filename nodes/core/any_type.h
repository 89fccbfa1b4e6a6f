// any: a socket that takes values of every type. In<Value>, Out<Value>.
//
// What flows keeps its own type. An output of type any carries what the input of the same name got, and stays empty where
// that got nothing (SocketInfo::follows names another input): `flowing_type` follows the links to say what it is.
#pragma once

#include "nodes/core/document.h"
#include "nodes/core/socket_type.h"

namespace nodes {

template <>
struct SocketTraits<Value> {
    static constexpr const char* name = "any";
    static SocketType describe() {
        return {.title = "Anything", .colour = "#c8c8c8", .help = "A value of any type, passed on as it is", .any = true};
    }
};

// The type of what comes out of a socket: the declared one, or for an output of type any that of what is linked into the
// node's input of the same name, for a port of a subgraph that of the port. Null where nothing is linked there, or the socket is not known.
const SocketType* flowing_type(const Document& document, const Endpoint& output);

}  // namespace nodes
