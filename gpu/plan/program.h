// The planner's form of a tensor graph: nodes in topological order, then steps (dispatches, host kernels) over buffers.
//
// Passes, in order, each a pure function that knows no Vulkan: build -> simplify -> place -> fuse -> order -> memory;
// verify checks what each must leave behind. Then generate writes the shaders of fused steps.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gpu/graph/blocks.h"
#include "gpu/graph/kernel.h"
#include "gpu/graph/op.h"
#include "gpu/graph/tensor.h"

namespace gpu {

struct PlanNode {
    std::shared_ptr<const Op> op;      // null for a leaf
    std::vector<int> inputs;
    Spec spec;
    int leaf = -1;                     // index into Program::leaves
    int scalar = -1;                   // constants: index into Program::scalars, inlined wherever they are read
    bool output = false;

    // Set by place.
    Order order;                       // memory order, if it gets a buffer
    int root = -1;                     // the node whose buffer it lies in: itself, or another for a free view; -1 for constants
    View view;                         // where in the root's buffer
    std::optional<Dtype> narrow;       // the buffer is a leaf of this 16-bit type, which readers widen to spec.dtype
    std::optional<BlockFormat> blocks; // the buffer holds blocks, and the view counts the elements that they unpack to
    std::optional<Kernel> kernel;      // kernel ops
    bool on_host = false;

    // Set by fuse.
    int step = -1;                     // the step that computes it; -1 for leaves, views and constants

    Dtype stored() const { return narrow.value_or(spec.dtype); }
};

// A leaf of the program: one of the evaluated graph's, or one that a composite brought with it.
struct PlanLeaf {
    int external = -1;
    StorageRef owned;
    bool donated = false;   // nobody needs it after the run: an output may take its place
};

struct PlanScalar {
    int external = -1;
    double owned = 0;
};

// A tensor that a step reads or writes: a view into a buffer.
struct Operand {
    int root = -1;          // node
    View view;
    Dtype dtype = Dtype::F32;
    Order leaf_order;       // leaves: the order in which the bytes must lie (the runtime keeps reordered copies)
    std::optional<BlockFormat> blocks;

    // Of the view's first element. Where it lies inside a block, there is none (place sees to that).
    std::size_t byte_offset() const {
        const auto offset = static_cast<std::size_t>(view.offset);
        return blocks ? bytes_of(*blocks, offset) : offset * size_of(dtype);
    }
};

// An elementwise chain that a kernel computes as it loads an input. It goes from one buffer, the carrier, which the kernel reads in the
// input's place, element by element; whatever else the chain reads is found by the element's index.
struct Prologue {
    std::size_t input = 0;         // of Kernel::inputs and of Step::reads
    int node = -1;                 // the kernel's input: the chain's result, or a free view of it
    int carrier = -1;              // node
    Operand read;                  // the carrier as the kernel reads it: as it would the chain's result, with the carrier's strides
    std::vector<int> members;      // nodes computed, in topological order
};

struct PostOp {
    std::string name;       // add, mul, relu, tanh, sigmoid, swish
    int operand = -1;       // index into Step::reads
};

// One word of a push block, filled when a step is recorded.
struct PushItem {
    enum Kind { ReadAddress, ReadView, WriteAddress, Word, Scalar } kind = Word;
    std::uint32_t value = 0;    // index of the read, the word itself, or index of the scalar
    Dtype dtype = Dtype::F32;   // of a scalar
};

// Bytes of a push block: 8 an address, on an 8-byte boundary, else 4.
std::size_t push_size_of(const std::vector<PushItem>& items);

struct Step {
    enum Kind { Generated, Shader, Host, Recorded } kind = Generated;
    std::vector<int> members;      // nodes computed here, in topological order
    int core = -1;                 // the kernel op, or -1
    // Elementwise nodes and reductions run over one index space: nodes of this shape, and nodes of the same shape with
    // length 1 along the reduced axes ("rows": what the reductions give, and what is computed from it).
    Shape space;
    std::vector<int> axes;         // reduced ones, ascending; empty: no reduction
    int result = -1;               // the node whose buffer is written
    std::vector<Operand> reads;
    Operand write;
    std::vector<PostOp> post_ops;  // Host
    std::vector<Prologue> prologues;   // Shader
    bool barrier = false;          // an earlier step's writes must be visible first

    // Set by generate.
    std::string label;             // "conv2d [1, 64, 32, 32] + add + relu"
    std::string source;            // GLSL
    std::vector<std::string> defines;
    std::vector<std::uint32_t> constants;
    std::uint32_t subgroup_size = 0;
    std::vector<PushItem> push;
    std::array<std::uint32_t, 3> groups{1, 1, 1};
    double bytes = 0, flop = 0;
};

// Where a root's buffer comes from.
struct Placement {
    enum Kind { None, Leaf, Arena, Output } kind = None;
    std::size_t offset = 0;        // Arena
    std::size_t size = 0;          // bytes
    int output = -1;               // Output: index into Program::outputs; Leaf: the output that takes its place, or -1
    int donor = -1;                // Output: the leaf's node whose place it takes, or -1
    int first = -1, last = -1;     // steps that write it first and read it last
};

struct Program {
    DeviceTraits traits;
    bool fuse = true;
    std::vector<PlanNode> nodes;
    std::vector<int> outputs;
    std::vector<PlanLeaf> leaves;
    std::vector<PlanScalar> scalars;
    std::vector<Step> steps;
    std::vector<Placement> placements;   // per node
    std::size_t arena_bytes = 0;
    std::size_t arena_lower_bound = 0;   // most bytes alive at once
    std::size_t output_bytes = 0;        // of results with buffers of their own; those in the places of donated leaves take none

    std::vector<std::vector<int>> users() const;
};

// The member of `step` whose value `node` is: itself, or what it repeats along the reduced axes; -1 where it is read from
// a buffer.
int member_of(const Program& program, const Step& step, int node);

// The part of a tensor graph that has no values yet, in topological order: what evaluate() hashes and build() reads.
struct TensorGraph {
    TensorGraph() = default;
    TensorGraph(TensorGraph&&) = default;            // no copies: `nodes` points into it
    TensorGraph& operator=(TensorGraph&&) = default;

    std::vector<const Tensor*> nodes;    // leaves and constants included, as `outputs` and users hold them: valid under the walk's GraphLock
    Tensors outputs;
    std::vector<StorageRef> leaves;      // in order of first visit
    std::vector<bool> donated;           // per leaf
    std::vector<double> scalars;
    Hash structure;                      // key of the plan cache: ops, structural attributes, shapes, leaf orders
};

// `donated`: leaves that nobody needs after the run. Takes GraphLock; who reads the graph further holds it too.
TensorGraph collect(const Tensors& outputs, const Tensors& donated = {});

// Picks one of an op's variants (Op::variants, at least two) for these inputs. Empty: the first of them.
using VariantChooser = std::function<std::string(const std::shared_ptr<const Op>& op, const Specs& in, const std::vector<std::string>& variants)>;

// Whether a device whose memory is the host's computes this by the kernel's host form.
bool runs_on_host(const Kernel& kernel, const Specs& in, const Spec& out);

Program build(const TensorGraph& graph, const DeviceTraits& traits, bool fuse, const VariantChooser& choose = {});
void simplify(Program& program);
void place(Program& program);
void fuse(Program& program);
void order(Program& program);
void memory(Program& program);
void generate(Program& program);
// Throws Error{Failure} naming the pass and what is wrong with the program after it.
void verify(const Program& program, const std::string& pass);

// All passes. Writes text and shaders to HEDDLE_DUMP where that is set.
Program make_plan(const TensorGraph& graph, const DeviceTraits& traits, bool fuse, const VariantChooser& choose = {});

// One line per step: what plans are stored as and diffed by.
std::string to_text(const Program& program);

}  // namespace gpu
