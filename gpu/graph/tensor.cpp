#include "gpu/graph/tensor.h"

#include <atomic>
#include <cstring>
#include <mutex>
#include <unordered_map>

#include "gpu/base/error.h"
#include "gpu/graph/graph_lock.h"
#include "gpu/graph/op.h"
#include "gpu/graph/shown.h"

namespace gpu {
namespace {

// The consing table holds nodes weakly: a node that nobody uses is forgotten by its destructor.
struct ConsingTable {
    std::mutex mutex;
    std::unordered_multimap<Hash, std::weak_ptr<TensorNode>> nodes;
};

ConsingTable& consing_table() {
    static ConsingTable* table = new ConsingTable;   // outlives every static Tensor
    return *table;
}

std::uint64_t next_id() {
    static std::atomic<std::uint64_t> id{1};
    return id++;
}

Hash consing_hash(const Op& op, const Tensors& inputs) {
    Hasher hasher;
    hasher.add(op.name());
    for (const Attr& attr : op.attrs()) {
        hasher.add(attr.name);
        add_to(hasher, attr.value);
    }
    for (const Tensor& input : inputs) hasher.add(input.id());
    return hasher.finish();
}

std::mutex value_mutex;

}  // namespace

std::string to_string(const Spec& spec) { return std::string(name_of(spec.dtype)) + " " + to_string(spec.shape); }

Order row_major(std::size_t rank) {
    Order order(rank);
    for (std::size_t i = 0; i < rank; ++i) order[i] = static_cast<int>(i);
    return order;
}

Order channels_last(std::size_t rank) {
    Order order = row_major(rank);
    if (rank > 2) {
        order.erase(order.begin() + 1);
        order.push_back(1);
    }
    return order;
}

Shape dense_strides(const Shape& shape, const Order& order) {
    Shape strides(shape.size());
    std::int64_t step = 1;
    for (std::size_t i = order.size(); i-- > 0;) {
        strides[order[i]] = step;
        step *= shape[order[i]];
    }
    return strides;
}

TensorNode::~TensorNode() {
    if (!consed) return;
    ConsingTable& table = consing_table();
    const std::lock_guard lock(table.mutex);
    const auto [first, last] = table.nodes.equal_range(consing);
    for (auto it = first; it != last; ++it)
        if (it->second.expired()) {
            table.nodes.erase(it);
            return;
        }
}

const Spec& Tensor::spec() const {
    static const Spec none;
    return node_ ? node_->spec : none;
}

std::int64_t Tensor::size(int axis) const {
    const int at = axis < 0 ? axis + rank() : axis;
    check(at >= 0 && at < rank(), ErrorCode::InvalidGraph, "size: expected an axis of {}, got {}", shown(shape()), axis);
    return shape()[at];
}

std::int64_t Tensor::element_count() const { return gpu::element_count(shape()); }
std::uint64_t Tensor::id() const { return node_ ? node_->id : 0; }
const Op* Tensor::op() const { return node_ ? node_->op.get() : nullptr; }
const std::vector<Tensor>& Tensor::inputs() const { return node_->inputs; }

StorageRef Tensor::value() const {
    if (!node_) return nullptr;
    const std::lock_guard lock(value_mutex);
    return node_->value;
}

Tensor leaf(StorageRef storage) {
    auto node = std::make_shared<TensorNode>();
    node->id = next_id();
    node->spec = storage->spec;
    node->value = std::move(storage);
    return Tensor(std::move(node));
}

Tensor leaf(const Spec& spec, std::span<const std::byte> bytes, std::shared_ptr<const void> owner, Order order) {
    auto storage = std::make_shared<Storage>();
    storage->spec = spec;
    storage->order = order.empty() ? row_major(spec.shape.size()) : std::move(order);
    check(bytes.size() == storage->bytes(), ErrorCode::InvalidGraph, "tensor {}: expected {} bytes, got {}",
          shown(spec), storage->bytes(), bytes.size());
    check(storage->order.size() == spec.shape.size(), ErrorCode::InvalidGraph, "tensor {}: order of rank {}",
          shown(spec), storage->order.size());
    if (!owner) {
        auto copy = std::make_shared<std::vector<std::byte>>(bytes.begin(), bytes.end());
        bytes = *copy;
        owner = std::move(copy);
    }
    storage->host = bytes;
    storage->owner = std::move(owner);
    return leaf(std::move(storage));
}

Tensor tensor(std::span<const float> values, const Shape& shape) {
    return leaf({shape, Dtype::F32}, std::as_bytes(values), nullptr);
}

Tensor tensor(std::initializer_list<float> values) {
    return tensor(std::span(values.begin(), values.size()), {static_cast<std::int64_t>(values.size())});
}

Tensor tensor_i32(std::span<const std::int32_t> values, const Shape& shape) {
    return leaf({shape, Dtype::I32}, std::as_bytes(values), nullptr);
}

Tensor apply_op(std::shared_ptr<const Op> op, const Tensors& inputs) {
    Specs specs;
    for (const Tensor& input : inputs) {
        check(static_cast<bool>(input), ErrorCode::InvalidGraph, "{}: an input is empty", op->name());
        specs.push_back(input.spec());
    }
    Spec spec;
    try {
        spec = op->infer(specs);
    } catch (Error& error) {
        std::string place = op->text();
        for (const Spec& in : specs) place += " " + to_string(in);
        throw error.in(place);
    }
    const Hash hash = consing_hash(*op, inputs);
    ConsingTable& table = consing_table();
    std::vector<std::shared_ptr<TensorNode>> keep;   // dropped after the lock: a destructor takes it again
    const std::lock_guard lock(table.mutex);
    const auto [first, last] = table.nodes.equal_range(hash);
    for (auto it = first; it != last; ++it)
        if (auto node = it->second.lock()) {
            if (node->op->name() == op->name() && node->op->attrs() == op->attrs()) return Tensor(std::move(node));
            keep.push_back(std::move(node));
        }
    auto node = std::make_shared<TensorNode>();
    node->id = next_id();
    node->op = std::move(op);
    node->inputs = inputs;
    node->spec = std::move(spec);
    node->consing = hash;
    node->consed = true;
    table.nodes.emplace(hash, node);
    return Tensor(std::move(node));
}

void set_value(const Tensor& tensor, StorageRef value) {
    Tensors released;   // destroyed after the lock: dropping inputs may drop whole graphs
    const GraphLock walk;
    const std::lock_guard lock(value_mutex);
    if (tensor.node()->value) return;   // of another device, which was first: the same value
    tensor.node()->value = std::move(value);
    released.swap(tensor.node()->inputs);
}

void drop_value(const Tensor& tensor) {
    StorageRef released;
    const GraphLock walk;
    const std::lock_guard lock(value_mutex);
    released.swap(tensor.node()->value);
    if (!released) return;
    const std::lock_guard storage_lock(released->mutex);
    released->derived.clear();
}

std::size_t consed_nodes() {
    const std::lock_guard lock(consing_table().mutex);
    return consing_table().nodes.size();
}

}  // namespace gpu
