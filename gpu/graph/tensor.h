// Tensor: a cheap shared handle on a node of the lazy, immutable, hash-consed tensor graph.
//
// Building an expression computes nothing; run/evaluate.h gives values. Equal (op, attributes, inputs) is the same node,
// so common subexpressions, structural equality and plan keys come free. Shapes follow the literature (NCHW); where the
// elements lie in memory is the runtime's business. All functions are thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gpu/base/hash.h"
#include "gpu/graph/storage.h"

namespace gpu {

class Op;
struct TensorNode;

class Tensor {
public:
    Tensor() = default;

    explicit operator bool() const { return node_ != nullptr; }
    const Spec& spec() const;
    const Shape& shape() const { return spec().shape; }
    Dtype dtype() const { return spec().dtype; }
    int rank() const { return static_cast<int>(shape().size()); }
    // Length of an axis; negative axes count from the end.
    std::int64_t size(int axis) const;
    std::int64_t element_count() const;

    // Process-wide unique and never reused.
    std::uint64_t id() const;
    // Null for a leaf.
    const Op* op() const;
    const std::vector<Tensor>& inputs() const;
    // Null until evaluated; leaves always have one.
    StorageRef value() const;

    // True when both are the same node of the tensor graph.
    bool same_as(const Tensor& other) const { return node_ == other.node_; }

    // For the graph and run layers.
    explicit Tensor(std::shared_ptr<TensorNode> node) : node_(std::move(node)) {}
    const std::shared_ptr<TensorNode>& node() const { return node_; }

private:
    std::shared_ptr<TensorNode> node_;
};

using Tensors = std::vector<Tensor>;

struct TensorNode {
    std::uint64_t id = 0;
    std::shared_ptr<const Op> op;   // null for a leaf
    Tensors inputs;                 // emptied once the node has a value, so that memory dies early
    Spec spec;
    StorageRef value;
    Hash consing;                   // hash of op, attributes and input ids; the key of the consing table
    bool consed = false;

    ~TensorNode();
};

// Leaves. Data is copied unless an owner is given.
Tensor tensor(std::span<const float> values, const Shape& shape);
Tensor tensor(std::initializer_list<float> values);                     // [n]
Tensor tensor_i32(std::span<const std::int32_t> values, const Shape& shape);
// `bytes` in `order` (empty: row-major), kept alive by `owner`. Throws Error{InvalidGraph} when the byte count is off.
Tensor leaf(const Spec& spec, std::span<const std::byte> bytes, std::shared_ptr<const void> owner, Order order = {});
Tensor leaf(StorageRef storage);

// A new node, or the one that is already there. Checks shapes through Op::infer; throws Error{InvalidGraph} with the
// op's name, attributes and input shapes.
Tensor apply_op(std::shared_ptr<const Op> op, const Tensors& inputs);

template <typename T, typename... Args>
Tensor apply_op(const Tensors& inputs, Args&&... args) {
    return apply_op(std::make_shared<const T>(std::forward<Args>(args)...), inputs);
}

// Called by the runtime: stores a value and lets go of the inputs.
void set_value(const Tensor& tensor, StorageRef value);

// Called by the runtime: the tensor's bytes were given away. What the storage knows of the device goes too, as another
// tensor's value lies there now.
void drop_value(const Tensor& tensor);

// How many distinct nodes are alive; tests of hash-consing use it.
std::size_t consed_nodes();

}  // namespace gpu
