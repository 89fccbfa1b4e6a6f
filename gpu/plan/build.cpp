// Tensor graph -> program. Kernel ops that the device has no kernel for are replaced by their composites.
#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "gpu/base/error.h"
#include "gpu/base/span.h"
#include "gpu/graph/graph_lock.h"
#include "gpu/graph/graph_node.h"
#include "gpu/graph/long_reductions.h"
#include "gpu/plan/program.h"

namespace gpu {
namespace {

// Inputs before users, from the outputs, without recursion. Tensors with a value are not entered.
template <typename Visit>
void walk(const Tensors& outputs, std::unordered_map<std::uint64_t, int>& index, Visit visit) {
    std::vector<std::pair<Tensor, std::size_t>> stack;
    for (const Tensor& output : outputs) {
        if (!index.contains(output.id())) stack.emplace_back(output, 0);
        while (!stack.empty()) {
            const Tensor tensor = stack.back().first;
            const bool entered = !tensor.value() && tensor.op();
            if (index.contains(tensor.id())) {
                stack.pop_back();
            } else if (entered && stack.back().second < tensor.inputs().size()) {
                const Tensor& next = tensor.inputs()[stack.back().second++];
                if (!index.contains(next.id())) stack.emplace_back(next, 0);
            } else {
                const int at = static_cast<int>(index.size());
                index.emplace(tensor.id(), at);
                visit(tensor);
                stack.pop_back();
            }
        }
    }
}

bool is_computable(Dtype dtype) {
    switch (dtype) {
        case Dtype::F32: case Dtype::F16: case Dtype::BF16: case Dtype::I32: case Dtype::U8: case Dtype::Bool: return true;
        default: return false;
    }
}

const SourceOp* constant_of(const Op& op) {
    if (op.kind() != OpKind::Source) return nullptr;
    const auto& source = static_cast<const SourceOp&>(op);
    return source.glsl() == "c" ? &source : nullptr;
}

// Only says how cotangents pass.
bool is_identity(const Tensor& tensor) {
    return !tensor.value() && tensor.op() && tensor.op()->kind() == OpKind::Movement &&
           static_cast<const MovementOp&>(*tensor.op()).is_identity();
}

class Builder {
public:
    Builder(const TensorGraph& graph, const DeviceTraits& traits, bool fuse, const VariantChooser& choose)
        : graph_(graph), choose_(choose) {
        program_.traits = traits;
        program_.fuse = fuse;
        program_.leaves.resize(graph.leaves.size());
        for (std::size_t i = 0; i < graph.leaves.size(); ++i) program_.leaves[i] = {static_cast<int>(i), nullptr, graph.donated[i]};
        program_.scalars.resize(graph.scalars.size());
        for (std::size_t i = 0; i < graph.scalars.size(); ++i) program_.scalars[i].external = static_cast<int>(i);
    }

    Program run() {
        std::size_t leaf = 0, scalar = 0;
        for (const Tensor* tensor : graph_.nodes) add(*tensor, &leaf, &scalar);
        for (const Tensor& output : graph_.outputs) {
            const int node = position_.at(output.id());
            program_.outputs.push_back(node);
            program_.nodes[node].output = true;
        }
        return std::move(program_);
    }

private:
    // `leaf` and `scalar` count the graph's own; null inside a composite, which brings its own.
    int add(const Tensor& tensor, std::size_t* leaf, std::size_t* scalar) {
        if (const auto known = position_.find(tensor.id()); known != position_.end()) return known->second;
        if (is_identity(tensor)) return position_[tensor.id()] = position_.at(tensor.inputs()[0].id());
        PlanNode node;
        node.spec = tensor.spec();
        check(is_computable(node.spec.dtype), ErrorCode::InvalidGraph,
              "evaluate: expected F32, F16, BF16, I32, U8 or BOOL, got {} (convert when loading)", to_string(node.spec));
        if (const StorageRef value = tensor.value(); value || !tensor.op()) {
            node.order = value->order;
            if (leaf) {
                node.leaf = static_cast<int>((*leaf)++);
            } else {
                node.leaf = static_cast<int>(program_.leaves.size());
                program_.leaves.push_back({-1, value});
            }
        } else {
            node.op = tensor.node()->op;
            if (const SourceOp* constant = constant_of(*tensor.op())) {
                if (scalar) {
                    node.scalar = static_cast<int>((*scalar)++);
                } else {
                    node.scalar = static_cast<int>(program_.scalars.size());
                    program_.scalars.push_back({-1, constant->scalar()});
                }
            }
            for (const Tensor& input : tensor.inputs()) node.inputs.push_back(position_.at(input.id()));
            if (node.op->kind() == OpKind::Kernel)
                if (const Tensor other = lower(node, tensor)) return expand(tensor, other);
            if (node.op->kind() == OpKind::Reduce && !in_two_steps_)
                if (const Tensor other = in_two_steps(tensor, program_.traits)) {
                    in_two_steps_ = true;   // its own reductions stay as they are
                    const int at = expand(tensor, other);
                    in_two_steps_ = false;
                    return at;
                }
        }
        return append(tensor.id(), std::move(node));
    }

    // Fills node.kernel, or gives what the op is computed by instead: its composite, or a variant of several kernels.
    Tensor lower(PlanNode& node, const Tensor& tensor) {
        Specs specs;
        for (const int input : node.inputs) specs.push_back(program_.nodes[input].spec);
        const std::vector<std::string> variants = node.op->variants(specs, program_.traits);
        KernelBuilder builder(specs, node.spec, program_.traits, variants.empty() ? "" : variants[0]);
        node.op->lower(builder);
        const Kernel& kernel = builder.kernel();
        if (variants.size() > 1 && !(program_.traits.host_kernels && runs_on_host(kernel, specs, node.spec))) {
            const std::string chosen = choose_ ? choose_(node.op, specs, variants) : variants[0];
            if (const Tensor graph = node.op->variant_graph(tensor.inputs(), chosen)) return graph;
            if (chosen != variants[0]) {
                KernelBuilder other(specs, node.spec, program_.traits, chosen);
                node.op->lower(other);
                node.kernel = other.kernel();
                return {};
            }
        }
        node.kernel = kernel;
        const bool served = !kernel.shader.empty() || !kernel.host.empty() || !kernel.parts.empty() || kernel.blocks || !kernel.recorder.empty();
        return served ? Tensor() : tensor.op()->composite(tensor.inputs());
    }

    // `composite` in place of the tensor. Its numbers and tables are its own, even where the tensor graph happens to hold the same ones: those are
    // counted by the graph and may be others at the next evaluation.
    int expand(const Tensor& tensor, const Tensor& composite) {
        const auto is_input = [&](std::uint64_t id) {
            return std::any_of(tensor.inputs().begin(), tensor.inputs().end(), [&](const Tensor& input) { return input.id() == id; });
        };
        std::unordered_map<std::uint64_t, int> seen;
        for (const auto& [id, at] : position_)
            if (program_.nodes[at].scalar < 0 || is_input(id)) seen.emplace(id, at);
        Tensors inside;
        walk({composite}, seen, [&](const Tensor& t) { inside.push_back(t); });
        std::vector<std::pair<std::uint64_t, std::optional<int>>> hidden;      // what the graph knows by these names
        for (const Tensor& t : inside) {
            if (t.value() || !t.op() || constant_of(*t.op())) {
                const auto known = position_.find(t.id());
                hidden.emplace_back(t.id(), known == position_.end() ? std::nullopt : std::optional(known->second));
                position_.erase(t.id());
            }
            add(t, nullptr, nullptr);
        }
        const int at = position_.at(composite.id());
        for (const auto& [id, known] : hidden) {
            position_.erase(id);
            if (known) position_.emplace(id, *known);
        }
        position_[tensor.id()] = at;
        return at;
    }

    int append(std::uint64_t id, PlanNode node) {
        const int at = static_cast<int>(program_.nodes.size());
        program_.nodes.push_back(std::move(node));
        position_[id] = at;
        return at;
    }

    const TensorGraph& graph_;
    const VariantChooser& choose_;
    Program program_;
    std::unordered_map<std::uint64_t, int> position_;
    bool in_two_steps_ = false;
};

}  // namespace

// Runs at every evaluation, so: nodes are marked where other walks look them up, values are read under the one lock, what an
// op contributes was hashed when its node was made, and no text is made for a check that holds.
TensorGraph collect(const Tensors& outputs, const Tensors& donated) {
    const GraphLock lock;
    const std::uint64_t walk = begin_walk();
    TensorGraph graph;
    graph.outputs = outputs;
    static thread_local std::size_t nodes_before = 0;   // of the last graph; the next is often the same
    graph.nodes.reserve(nodes_before);
    std::unordered_set<std::uint64_t> given;
    for (const Tensor& tensor : donated) given.insert(tensor.id());
    static thread_local std::vector<std::uint64_t> words;   // what is hashed: for each node a word that says what follows
    words.clear();
    const auto begin_fields = [&](std::uint64_t kind, std::size_t count) { words.push_back(kind << 32 | count); };
    const auto add_spec = [&](const Spec& spec) {
        begin_fields(static_cast<std::uint64_t>(spec.dtype), spec.shape.size());
        for (const std::int64_t length : spec.shape) words.push_back(static_cast<std::uint64_t>(length));
    };
    const auto visit = [&](const Tensor& tensor, GraphNode& node) {
        node.walk = walk;
        node.position = static_cast<int>(graph.nodes.size());
        graph.nodes.push_back(&tensor);
        if (node.value) {
            graph.leaves.push_back(node.value);
            bool alone = true;
            if (!given.empty()) {   // two leaves over the same bytes: neither may be written over
                const auto twin = std::find(graph.leaves.begin(), graph.leaves.end() - 1, node.value);
                alone = twin == graph.leaves.end() - 1;
                if (!alone) graph.donated[static_cast<std::size_t>(twin - graph.leaves.begin())] = false;
            }
            graph.donated.push_back(alone && given.contains(node.id));
            begin_fields(1, node.value->order.size());
            add_spec(node.spec);
            for (const int axis : node.value->order) words.push_back(static_cast<std::uint64_t>(axis));
            return;
        }
        if (node.inputs.empty() && (!node.op || node.op->kind() != OpKind::Source))
            throw Error(ErrorCode::InvalidGraph, "evaluate: a tensor {} was given away to an earlier evaluation", to_string(node.spec));
        if (const SourceOp* constant = constant_of(*node.op)) graph.scalars.push_back(constant->scalar());
        begin_fields(0, node.inputs.size());
        add_spec(node.spec);
        words.push_back(node.structure.high);
        words.push_back(node.structure.low);
        for (const Tensor& input : node.inputs) words.push_back(static_cast<std::uint64_t>(graph_node(input).position));
    };
    // Inputs before users, in the order of walk().
    std::vector<std::pair<const Tensor*, std::size_t>> stack;
    for (const Tensor& output : graph.outputs) {
        stack.emplace_back(&output, 0);
        while (!stack.empty()) {
            const Tensor& tensor = *stack.back().first;
            GraphNode& node = graph_node(tensor);
            if (node.walk == walk) {
                stack.pop_back();
            } else if (!node.value && node.op && stack.back().second < node.inputs.size()) {
                const Tensor& next = node.inputs[stack.back().second++];
                if (graph_node(next).walk != walk) stack.emplace_back(&next, 0);
            } else {
                visit(tensor, node);
                stack.pop_back();
            }
        }
    }
    begin_fields(0, graph.donated.size());
    for (const bool free : graph.donated) words.push_back(free);
    for (const Tensor& output : outputs) words.push_back(static_cast<std::uint64_t>(graph_node(output).position));
    nodes_before = graph.nodes.size();
    graph.structure = hash_bytes(std::as_bytes(std::span(words)));
    return graph;
}

bool runs_on_host(const Kernel& kernel, const Specs& in, const Spec& out) {
    return !kernel.host.empty() && element_count(out.shape) > 0 &&
           std::all_of(in.begin(), in.end(), [&](const Spec& spec) {
               return spec.dtype == Dtype::F32 || (kernel.host_any_float && is_float(spec.dtype));
           });
}

Program build(const TensorGraph& graph, const DeviceTraits& traits, bool fuse, const VariantChooser& choose) {
    const Span span("pass", "build");
    return Builder(graph, traits, fuse, choose).run();
}

std::vector<std::vector<int>> Program::users() const {
    std::vector<std::vector<int>> result(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i)
        for (const int input : nodes[i].inputs)
            if (result[input].empty() || result[input].back() != static_cast<int>(i)) result[input].push_back(static_cast<int>(i));
    return result;
}

}  // namespace gpu
