#include "gpu/graph/tensor.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "gpu/base/error.h"
#include "gpu/graph/graph_lock.h"
#include "gpu/graph/graph_node.h"
#include "gpu/graph/op.h"
#include "gpu/graph/shown.h"

namespace gpu {
namespace {

// Memory of nodes. They come and go by the thousand with every step, and a general allocator would merge what is freed together
// and split it again. What was once taken is kept for nodes to come.
class NodeMemory {
public:
    static constexpr std::size_t place_size = sizeof(GraphNode) + 64;   // with the counts of its handles

    void* take() {
        if (!free_) grow();
        Place* const place = free_;
        free_ = place->next;
        return place;
    }
    void give_back(void* memory) { free_ = new (memory) Place{.next = free_}; }

private:
    union Place {
        Place* next;
        alignas(std::max_align_t) std::byte bytes[place_size];
    };
    void grow() {
        constexpr std::size_t count = 256;
        slabs_.push_back(std::make_unique<Place[]>(count));
        for (std::size_t i = count; i-- > 0;) {
            slabs_.back()[i].next = free_;
            free_ = &slabs_.back()[i];
        }
    }

    Place* free_ = nullptr;
    std::vector<std::unique_ptr<Place[]>> slabs_;
};

// The consing table holds nodes weakly: a node that nobody uses is forgotten by its destructor. Nodes of one slot are chained
// through themselves, so that the table takes no memory for each.
class ConsingTable {
public:
    std::mutex mutex;   // held by who uses what follows
    NodeMemory memory;

    // A hash of 128 bits stands for what it was made of, as in keys of plans. Null where there is none, or none that lives on.
    std::shared_ptr<GraphNode> find(const Hash& hash) const {
        for (GraphNode* node = slots_[slot(hash)]; node; node = node->next)
            if (node->consing == hash)
                if (auto alive = node->weak_from_this().lock()) return alive;   // else its destructor waits for the mutex
        return nullptr;
    }
    void insert(GraphNode& node) {
        if (++count_ > slots_.size()) grow();
        link(node);
    }
    void erase(GraphNode& node) {
        GraphNode** at = &slots_[slot(node.consing)];
        while (*at != &node) at = &(*at)->next;
        *at = node.next;
        --count_;
    }
    std::size_t count() const { return count_; }

private:
    std::size_t slot(const Hash& hash) const { return hash.low & (slots_.size() - 1); }
    void link(GraphNode& node) {
        GraphNode*& first = slots_[slot(node.consing)];
        node.next = first;
        first = &node;
    }
    void grow() {
        std::vector<GraphNode*> before(2 * slots_.size(), nullptr);
        before.swap(slots_);
        for (GraphNode* node : before)
            while (node) {
                GraphNode* const next = node->next;
                link(*node);
                node = next;
            }
    }

    std::vector<GraphNode*> slots_ = std::vector<GraphNode*>(1024, nullptr);   // a power of two
    std::size_t count_ = 0;
};

ConsingTable& consing_table() {
    static ConsingTable* table = new ConsingTable;   // outlives every static Tensor
    return *table;
}

template <typename T>
struct NodeAllocator {
    using value_type = T;
    NodeAllocator() = default;
    template <typename Other>
    NodeAllocator(const NodeAllocator<Other>&) {}

    T* allocate(std::size_t) {   // under the table's mutex
        static_assert(sizeof(T) <= NodeMemory::place_size && alignof(T) <= alignof(std::max_align_t));
        return static_cast<T*>(consing_table().memory.take());
    }
    void deallocate(T* memory, std::size_t) {
        const std::lock_guard lock(consing_table().mutex);
        consing_table().memory.give_back(memory);
    }
    friend bool operator==(const NodeAllocator&, const NodeAllocator&) { return true; }
};

// Under the table's mutex.
std::shared_ptr<GraphNode> new_node() {
#ifdef __SANITIZE_ADDRESS__
    return std::make_shared<GraphNode>();   // a place that is used again would hide what it looks for
#else
    return std::allocate_shared<GraphNode>(NodeAllocator<GraphNode>());
#endif
}

std::uint64_t next_id() {
    static std::atomic<std::uint64_t> id{1};
    return id++;
}

Hash consing_hash(const OpKeys& keys, const Tensors& inputs) {
    FieldBuffer fields;
    fields.add(keys.whole.high).add(keys.whole.low);
    for (const Tensor& input : inputs) fields.add(input.node()->id);
    return fields.hash();
}

// The inputs' specs as infer() reads them, in vectors that keep their memory from call to call.
class InputSpecs {
public:
    explicit InputSpecs(const Tensors& inputs) {
        const std::size_t count = inputs.size();
        specs_ = count < kept.size() && !in_use ? &kept[count] : &own_;
        lends_ = specs_ != &own_;
        if (lends_) in_use = true;
        specs_->resize(count);
        for (std::size_t i = 0; i < count; ++i) (*specs_)[i] = inputs[i].node()->spec;
    }
    ~InputSpecs() {
        if (lends_) in_use = false;
    }
    InputSpecs(const InputSpecs&) = delete;
    InputSpecs& operator=(const InputSpecs&) = delete;

    const Specs& specs() const { return *specs_; }

private:
    static thread_local std::array<Specs, 5> kept;   // per number of inputs
    static thread_local bool in_use;                 // an infer() that builds tensors itself
    Specs own_;
    Specs* specs_;
    bool lends_;
};

thread_local std::array<Specs, 5> InputSpecs::kept;
thread_local bool InputSpecs::in_use = false;

Spec inferred(const Op& op, const Tensors& inputs) {
    const InputSpecs in(inputs);
    try {
        return op.infer(in.specs());
    } catch (Error& error) {
        std::string place = op.text();
        for (const Spec& spec : in.specs()) place += " " + to_string(spec);
        throw error.in(place);
    }
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

TensorNode::~TensorNode() = default;

GraphNode::~GraphNode() {
    if (!consed) return;
    ConsingTable& table = consing_table();
    const std::lock_guard lock(table.mutex);
    table.erase(*this);
}

std::uint64_t begin_walk() {
    static std::uint64_t walks = 0;
    return ++walks;
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
    std::shared_ptr<GraphNode> node;
    {
        const std::lock_guard lock(consing_table().mutex);
        node = new_node();
    }
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

Tensor apply_op(std::shared_ptr<const Op> op, const Tensors& inputs) { return apply_op(std::move(op), Tensors(inputs)); }

Tensor apply_op(std::shared_ptr<const Op> op, Tensors&& inputs) {
    for (const Tensor& input : inputs)
        if (!input) throw Error(ErrorCode::InvalidGraph, "{}: an input is empty", op->name());
    const OpKeys keys = op->keys() ? *op->keys() : make_keys(*op);
    const Hash hash = consing_hash(keys, inputs);
    ConsingTable& table = consing_table();
    std::shared_ptr<GraphNode> node;
    {
        const std::lock_guard lock(table.mutex);
        if ((node = table.find(hash))) return Tensor(std::move(node));
        node = new_node();
    }
    node->spec = inferred(*op, inputs);
    node->structure = keys.structure;
    node->op = std::move(op);
    node->inputs = std::move(inputs);
    node->consing = hash;
    std::shared_ptr<GraphNode> other;   // of a thread that was first; ours then goes after the lock, which destructors take
    const std::lock_guard lock(table.mutex);
    if ((other = table.find(hash))) return Tensor(std::move(other));
    node->id = next_id();
    node->consed = true;
    table.insert(*node);
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
    return consing_table().count();
}

}  // namespace gpu
