// Decides where and how every value lies: memory order of each buffer, free views for movement, host kernel or shader for
// kernel ops. Inserts copies where a reader needs another layout. Feature maps follow their convolutions: channels last.
#include <algorithm>
#include <numeric>

#include "gpu/base/span.h"
#include "gpu/plan/program.h"

namespace gpu {
namespace {

View dense_view(const Shape& shape, const Order& order) { return {0, shape, dense_strides(shape, order)}; }

// The axes from the longest stride to the shortest: the order in which the view's elements lie. An axis whose stride says
// nothing (it repeats elements, or has length 1) stays behind its left neighbour, so that [H, 2, W, 2] of a channels-last
// map is copied channels last and then merges into [2 H, 2 W] for free.
Order order_of(const View& view) {
    const auto walks = [&](int axis) { return view.strides[axis] != 0 && view.shape[axis] != 1; };
    Order order;
    for (const int axis : row_major(view.shape.size()))
        if (walks(axis)) order.push_back(axis);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return std::abs(view.strides[a]) > std::abs(view.strides[b]); });
    for (const int axis : row_major(view.shape.size()))
        if (!walks(axis)) {
            const auto left = std::find(order.begin(), order.end(), axis - 1);
            order.insert(left == order.end() ? order.begin() : left + 1, axis);
        }
    return order;
}

bool is_broadcast(const View& view) {
    for (std::size_t i = 0; i < view.shape.size(); ++i)
        if (view.strides[i] == 0 && view.shape[i] != 1) return true;
    return false;
}

bool is_backward(const View& view) {
    return std::any_of(view.strides.begin(), view.strides.end(), [](auto stride) { return stride < 0; });
}

// Elements of one axis lie between those of another (every fifth of 12 columns): oneDNN has no description for it.
bool is_interleaved(const View& view) {
    std::vector<std::pair<std::int64_t, std::int64_t>> axes;   // stride, length
    for (std::size_t i = 0; i < view.shape.size(); ++i)
        if (view.shape[i] != 1) axes.emplace_back(view.strides[i], view.shape[i]);
    std::sort(axes.begin(), axes.end());
    for (std::size_t i = 0; i + 1 < axes.size(); ++i)
        if (axes[i].first * axes[i].second > axes[i + 1].first) return true;
    return false;
}

class Placer {
public:
    explicit Placer(Program& program) : program_(program), old_(std::move(program.nodes)) {}

    void run() {
        program_.nodes.clear();
        moved_.resize(old_.size());
        for (std::size_t i = 0; i < old_.size(); ++i) {
            PlanNode node = std::move(old_[i]);
            for (int& input : node.inputs) input = moved_[input];
            moved_[i] = place_node(std::move(node));
        }
        for (int& output : program_.outputs) output = place_output(moved_[output]);
    }

private:
    int place_node(PlanNode node) {
        const int self = static_cast<int>(program_.nodes.size());
        if (node.leaf >= 0) return own_buffer(node, node.order);
        if (node.scalar >= 0) {
            node.order = row_major(node.spec.shape.size());
            node.view = dense_view(node.spec.shape, node.order);
            if (node.output) node.root = self;
            return append(std::move(node));
        }
        switch (node.op->kind()) {
            case OpKind::Source: return own_buffer(node, row_major(node.spec.shape.size()));
            case OpKind::Reduce: return own_buffer(node, input(node, 0).order);
            case OpKind::Elementwise:
                if (is_widened_leaf(node)) return place_widened(std::move(node));
                if (is_narrowed_again(node)) return place_narrowed(std::move(node));
                return own_buffer(node, elementwise_order(node));
            case OpKind::Movement: return place_movement(std::move(node));
            case OpKind::Kernel: return place_kernel(std::move(node));
        }
        return -1;
    }

    // A cast of 16-bit weights to F32 is exact, and readers make it as they load.
    bool is_widened_leaf(const PlanNode& node) const {
        if (node.op->name() != "cast" || node.spec.dtype != Dtype::F32) return false;
        const PlanNode& from = input(node, 0);
        return from.root >= 0 && program_.nodes[from.root].leaf >= 0 && is_float(from.spec.dtype) && size_of(from.spec.dtype) == 2;
    }
    int place_widened(PlanNode node) {
        const PlanNode& from = input(node, 0);
        node.root = from.root;
        node.view = from.view;
        node.order = from.order;
        node.narrow = from.spec.dtype;
        return append(std::move(node));
    }

    // What Autocast makes of such weights: their own bits again.
    bool is_narrowed_again(const PlanNode& node) const { return node.op->name() == "cast" && input(node, 0).narrow == node.spec.dtype; }
    int place_narrowed(PlanNode node) {
        const PlanNode& from = input(node, 0);
        node.root = from.root;
        node.view = from.view;
        node.order = from.order;
        return append(std::move(node));
    }

    // Unpacked nowhere: readers take the elements from the blocks.
    int place_blocks(PlanNode node) {
        int& in = node.inputs[0];
        in = materialised(in);
        if (input(node, 0).view.offset != 0 || !input(node, 0).view.is_dense({0})) in = copied(in, {0});
        node.root = input(node, 0).root;
        node.blocks = node.kernel->blocks;
        node.order = row_major(node.spec.shape.size());
        node.view = dense_view(node.spec.shape, node.order);
        node.kernel.reset();
        return append(std::move(node));
    }

    int place_movement(PlanNode node) {
        const auto& movement = static_cast<const MovementOp&>(*node.op);
        if (movement.fills()) {
            node.inputs[0] = materialised(node.inputs[0]);
            return own_buffer(node, input(node, 0).order);
        }
        if (!movement.view(input(node, 0).view, node.view)) {
            node.inputs[0] = copied(node.inputs[0], copy_order(movement, input(node, 0)));
            if (!movement.view(input(node, 0).view, node.view)) return place_empty(std::move(node));
        }
        node.root = input(node, 0).root;
        node.blocks = input(node, 0).blocks;
        node.narrow = input(node, 0).narrow;
        node.order = order_of(node.view);
        // Axes of length 1 get the stride of a plain tensor, so that equal layouts compare equal.
        if (node.view.is_dense(node.order)) node.view.strides = dense_strides(node.view.shape, node.order);
        return append(std::move(node));
    }

    // Only empty tensors have no view of a dense buffer. A constant says as much and needs no input.
    int place_empty(PlanNode node) {
        node.scalar = static_cast<int>(program_.scalars.size());
        program_.scalars.push_back({-1, 0});
        node.inputs.clear();
        node.op = copy_op();
        return place_node(std::move(node));
    }

    // As the elements lie where that serves the reshape, else row-major, which always does.
    static Order copy_order(const MovementOp& movement, const PlanNode& from) {
        View unused;
        return movement.view(dense_view(from.spec.shape, from.order), unused) ? from.order : row_major(from.spec.shape.size());
    }

    int place_kernel(PlanNode node) {
        if (node.kernel->blocks) return place_blocks(std::move(node));
        Kernel& kernel = *node.kernel;
        Specs specs;
        for (const int in : node.inputs) specs.push_back(program_.nodes[in].spec);
        node.on_host = program_.traits.host_kernels && runs_on_host(kernel, specs, node.spec);
        for (Kernel::Input& wanted : node.on_host ? kernel.host_inputs : kernel.inputs) {
            int& in = node.inputs[wanted.index];
            if (is_packed(in)) {
                if (wanted.blocks && readable_packed(in, wanted, node.on_host)) {
                    wanted.order = wanted.block_order;
                    if (!wanted.block_define.empty()) kernel.defines.push_back(wanted.block_define);
                    continue;
                }
                // Weights of 16 bits may also be taken like any others.
                if (!wanted.blocks || program_.nodes[in].blocks) in = copied(in, wanted.order.empty() ? program_.nodes[in].order : wanted.order);
            }
            in = wanted.order.empty() ? strided(in, node.on_host) : in_order(in, wanted.order);
            if (!node.on_host) in = word_aligned(in);
        }
        if (!kernel.parts.empty())
            for (int& in : node.inputs) in = materialised(in);
        if (kernel.out_order.empty()) kernel.out_order = input(node, 0).order;
        const Order order = kernel.out_order;
        return own_buffer(node, order);
    }

    bool is_packed(int at) const { return program_.nodes[at].blocks || program_.nodes[at].narrow; }

    // In blocks: kernels get the address of the first element, which must be that of a word (shaders) or at least of a block.
    // In 16 bits: where the kernel's order for blocks spares a copy.
    bool readable_packed(int at, const Kernel::Input& wanted, bool on_host) const {
        const PlanNode& node = program_.nodes[at];
        const bool in_order = wanted.block_order.empty() || node.view.is_dense(wanted.block_order);
        if (node.narrow) return !wanted.order.empty() && in_order && !node.view.is_dense(wanted.order) && !is_whole_leaf(at) && node.view.offset % 2 == 0;
        const auto elements = static_cast<std::int64_t>(elements_of(*node.blocks));
        if (node.view.offset % elements != 0 || is_broadcast(node.view) || is_backward(node.view)) return false;
        if (!on_host && bytes_of(*node.blocks, static_cast<std::size_t>(node.view.offset)) % 4 != 0) return false;
        return in_order;
    }

    // Without 16-bit storage shaders read words: an element in the middle of one has no address.
    int word_aligned(int at) {
        const PlanNode& node = program_.nodes[at];
        const std::size_t size = size_of(node.stored());
        const bool in_words = (size == 2 && !program_.traits.storage16) || (size == 1 && !program_.traits.storage8);
        const bool inside = in_words && static_cast<std::size_t>(node.view.offset) * size % 4 != 0;
        return inside ? copied(at, node.order) : at;
    }

    // The buffer of an output must be dense; one that is a part or a repetition of another gets its own.
    int place_output(int at) {
        const PlanNode& node = program_.nodes[at];
        const bool whole = node.root >= 0 && !node.blocks && !node.narrow && node.view.offset == 0 && node.view.is_dense(node.order) &&
                           element_count(node.spec.shape) == element_count(program_.nodes[node.root].spec.shape);
        if (node.root == at || whole) return at;
        const int copy = copied(at, row_major(node.spec.shape.size()));
        program_.nodes[at].output = false;
        program_.nodes[copy].output = true;
        return copy;
    }

    // A constant that a kernel or a padding reads needs a buffer after all.
    int materialised(int at) {
        return program_.nodes[at].root < 0 ? copied(at, program_.nodes[at].order) : at;
    }

    // Kernels take any strides that walk forward; host kernels know no repetition (stride 0) but that of a whole axis of 1.
    int strided(int at, bool on_host) {
        const View& view = program_.nodes[at].view;
        if (on_host && is_interleaved(view)) return copied(at, row_major(view.shape.size()));
        return is_backward(view) || is_broadcast(view) ? copied(at, row_major(view.shape.size())) : materialised(at);
    }

    int in_order(int at, const Order& order) {
        const PlanNode& node = program_.nodes[at];
        if (node.root < 0) return copied(at, order);
        if (node.view.is_dense(order)) return at;
        return is_whole_leaf(at) ? at : copied(at, order);
    }

    // The runtime keeps reordered copies of leaves, so that weights are reordered once.
    bool is_whole_leaf(int at) const {
        const PlanNode& node = program_.nodes[at];
        const PlanNode& root = program_.nodes[node.root];
        return root.leaf >= 0 && !node.blocks && node.view.offset == 0 && node.view.is_dense(node.order) &&
               node.spec.shape == root.spec.shape && node.view.is_dense(root.order);
    }

    int copied(int at, const Order& order) {
        PlanNode copy;
        copy.op = copy_op();
        copy.inputs = {at};
        copy.spec = program_.nodes[at].spec;
        return own_buffer(copy, order);
    }

    Order elementwise_order(const PlanNode& node) const {
        for (const int in : node.inputs) {
            const PlanNode& candidate = program_.nodes[in];
            if (candidate.scalar < 0 && !is_broadcast(candidate.view)) return candidate.order;
        }
        return row_major(node.spec.shape.size());
    }

    // Leaves `node` empty.
    int own_buffer(PlanNode& node, const Order& order) {
        node.root = static_cast<int>(program_.nodes.size());
        node.view = dense_view(node.spec.shape, order);
        node.order = order;
        return append(std::move(node));
    }

    int append(PlanNode node) {
        program_.nodes.push_back(std::move(node));
        return static_cast<int>(program_.nodes.size()) - 1;
    }

    const PlanNode& input(const PlanNode& node, int index) const { return program_.nodes[node.inputs[index]]; }

    Program& program_;
    std::vector<PlanNode> old_;
    std::vector<int> moved_;
};

}  // namespace

void place(Program& program) {
    const Span span("pass", "place");
    Placer(program).run();
}

}  // namespace gpu
