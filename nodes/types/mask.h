// mask: where something applies, 1 chosen, 0 not, anything between partly. In<Mask>, Out<Mask>.
#pragma once

#include "nodes/core/socket_type.h"
#include "nodes/types/tensor.h"

namespace nodes {

struct Mask {
    Tensor tensor;      // F32 [N, 1, H, W], 0..1

    std::int64_t batch() const { return tensor.size(0); }
    std::int64_t height() const { return tensor.size(2); }
    std::int64_t width() const { return tensor.size(3); }
};

// Throws Error{InvalidGraph} unless `tensor` is F32 [N, 1, H, W] with at least one pixel.
Mask make_mask(Tensor tensor);

// With its values computed.
Mask evaluated(Mask mask);

template <>
struct SocketTraits<Mask> {
    static constexpr const char* name = "mask";
    static SocketType describe();
};

}  // namespace nodes
