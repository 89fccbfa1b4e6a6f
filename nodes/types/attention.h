// attention: where a network looked for each token of the prompt while it sampled. In<Attention>, Out<Attention>.
#pragma once

#include "nodes/core/socket_type.h"
#include "nodes/types/tensor.h"

namespace nodes {

struct Attention {
    Tensor maps;         // F32 [N, L, h, w] in the latent's cells, the mean of all that was recorded; empty: nothing was
    int calls = 0;       // of the network that were recorded
    int factor = 8;      // pixels to a cell
};

template <>
struct SocketTraits<Attention> {
    static constexpr const char* name = "attention";
    static SocketType describe();
};

}  // namespace nodes
