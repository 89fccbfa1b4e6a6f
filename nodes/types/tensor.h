// tensor: any numbers. In<Tensor>, Out<Tensor>.
#pragma once

#include "gpu/graph/tensor.h"
#include <string_view>

#include "nodes/core/socket_type.h"

namespace nodes {

using gpu::Tensor;

// The content's hash: shape, element type and values. Evaluates.
gpu::Hash content_hash(const Tensor& tensor);

// The tensors of several values one after the other along the first axis: what `collect` of socket types does. Throws
// Error{InvalidGraph} where their other axes differ; `what` names them in the message.
Tensor collected(const gpu::Tensors& parts, std::string_view what);

// The same for values of a type that holds its numbers in a member `tensor`: the first value with the numbers of all.
template <typename T>
Value collect_tensors(const std::vector<Value>& values) {
    gpu::Tensors parts;
    for (const Value& value : values) parts.push_back(value.get<T>()->tensor);
    T all = *values.front().get<T>();
    all.tensor = collected(parts, SocketTraits<T>::name);
    return Value::of<T>(evaluated(std::move(all)));
}

// The tensor of that name. Throws Error{BadFile} where there is none.
Tensor stored_tensor(const StoredValue& stored, const std::string& name);

// Bytes of a tensor's values.
std::size_t tensor_bytes(const Tensor& tensor);

template <>
struct SocketTraits<Tensor> {
    static constexpr const char* name = "tensor";
    static SocketType describe();
};

}  // namespace nodes
