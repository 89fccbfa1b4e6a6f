// tensor: any numbers. In<Tensor>, Out<Tensor>.
#pragma once

#include "gpu/graph/tensor.h"
#include "nodes/core/socket_type.h"

namespace nodes {

using gpu::Tensor;

// The content's hash: shape, element type and values. Evaluates.
gpu::Hash content_hash(const Tensor& tensor);

// Bytes of a tensor's values.
std::size_t tensor_bytes(const Tensor& tensor);

template <>
struct SocketTraits<Tensor> {
    static constexpr const char* name = "tensor";
    static SocketType describe();
};

}  // namespace nodes
