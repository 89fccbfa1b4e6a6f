// number: a real value. In<double>, Out<double>.
#pragma once

#include "gpu/base/format.h"
#include "nodes/core/socket_type.h"

namespace nodes {

template <>
struct SocketTraits<double> {
    static constexpr const char* name = "number";
    static SocketType describe() {
        return {.title = "Number",
                .colour = "#b0a45c",
                .help = "A real value",
                .summary = erased<double>([](double value) { return gpu::format("{}", value); }),
                .hash = erased<double>([](double value) { return gpu::Hasher().add(value).finish(); })};
    }
};

}  // namespace nodes
