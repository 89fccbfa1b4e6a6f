// Writes one step: the push block and the GLSL text, put together from walks over views and expressions of primitives.
// What is particular to a kind of step lies in write_elementwise.cpp, write_rows.cpp and write_kernel.cpp.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gpu/plan/program.h"
#include "gpu/plan/walk.h"

namespace gpu {

// Names in the shaders: the buffer reference of a type, and the type that its elements are computed in.
std::string reference_type(const Operand& operand);
const char* compute_type(Dtype dtype);

class StepWriter {
public:
    StepWriter(Program& program, Step& step) : program_(program), nodes_(program.nodes), step_(step) {}

    void run();

private:
    void write_elementwise();
    // One part of a concatenation: a copy into a view of the result.
    void write_part();
    // Padding: each output element asks where it comes from.
    void write_padding();
    // Reductions, one or several over the same rows, with what is computed before, between and after them.
    void write_rows();
    // A kernel op's own shader, with what was fused behind it as a macro and a function.
    void write_kernel();
    struct Neighbours {
        int axis = -1;
        std::int64_t count = 1;
    };
    Neighbours neighbours(std::size_t read) const;
    void define_vectors(std::size_t read, const Prologue* prologue);
    bool packs_words(const Prologue& prologue) const;
    // Whether shaders load several elements at once: floats, each of whole bytes that they can address.
    bool is_plain(const Operand& operand) const {
        return !operand.blocks && is_float(operand.dtype) && (operand.dtype == Dtype::F32 || program_.traits.storage16);
    }
    std::string epilogue_function();
    // What the kernel computes as it loads an input: the functions, and their declarations for `declared`.
    std::string prologue_functions(const Prologue& prologue, std::string& declared);
    const Prologue* prologue_of(std::size_t input) const;

    // --- the push block: fields are declared and pushed together ---

    std::string push_word(const std::string& type, PushItem item, const std::string& name);
    std::string push_size(std::int64_t value, const std::string& name);
    // `at_view`: the address of the view's first element instead of the buffer's.
    std::string push_read(std::size_t read, bool at_view = false);
    std::string push_write();
    std::string scalar(int index, Dtype dtype);
    std::string load(std::size_t read) const { return "load_" + reference_type(step_.reads[read]); }
    std::string store() const { return "store_" + reference_type(step_.write); }
    void uses(const Operand& operand) {
        if (operand.blocks) return define("USES_BLOCKS");
        const std::size_t size = size_of(operand.dtype);
        if (size == 2) define("USES_16");
        if (size == 2 && !program_.traits.storage16) define("NO_STORAGE16");
        if (size == 1) define("USES_8");
        if (size == 1 && !program_.traits.storage8) define("NO_STORAGE8");
    }
    void define(const std::string& text) {
        if (std::find(step_.defines.begin(), step_.defines.end(), text) == step_.defines.end()) step_.defines.push_back(text);
    }

    // --- index arithmetic ---

    // Declares x0, x1, ... (outermost first) as the coordinates of `index` in the walk.
    std::string coordinates(const Walk& walk, const std::string& index, const std::string& prefix);
    std::string walk_coordinates(const Walk& walk, const std::string& index);
    // The element index of a view at those coordinates.
    std::string address(const Walk& walk, std::size_t view, const std::string& prefix, const std::string& name);
    std::string with_offset(const std::string& index, std::int64_t offset, const std::string& name) {
        return offset == 0 ? index : index + " + " + push_size(offset, name + "o");
    }
    std::vector<int> all_axes() const { return nodes_[step_.result].order; }

    // --- loops ---

    // Lays workgroups out in rows of what the device allows.
    void spread(std::int64_t groups);
    // Each workgroup walks over a block of elements, its lanes side by side; `element` is the body for element i.
    std::string element_loop(std::int64_t count, const std::string& element);
    // A loop over all elements of a walk, with coordinates x0, x1, ... where a view needs them. Divisions are slow in vectors:
    // where the innermost axis fills the lanes, coordinates are found once a row.
    std::string walk_loop(const Walk& walk, std::int64_t count, const std::string& element);
    // Loads of `members`' buffers at the walk's coordinates; views of the walk follow `reads`.
    std::string loads(const Walk& walk, const std::vector<std::pair<int, std::size_t>>& reads, std::size_t first_view,
                      const std::string& linear_index, std::map<int, std::string>& loaded);
    std::string lanes() const { return std::to_string(program_.traits.lanes) + "u"; }

    // --- expressions ---

    std::string operand(int node, const std::map<int, std::string>& loaded);
    // Members are numbered within the step, so that equal structure gives equal text.
    int local(int node) const;
    std::string statement(int member, const std::map<int, std::string>& loaded);
    // The read operand that was made for a node: its view decides, since several views may share a root.
    std::size_t read_of(int node, std::size_t first_read) const;
    std::vector<std::pair<int, std::size_t>> reads_by_node(const std::vector<int>& members, std::size_t first_read) const;

    // --- rows ---

    // Gives every lane the combined `total` of all lanes, by way of the shared array `scratch`.
    std::string combine_lanes(const ReduceOp& op, const std::string& scratch, const std::string& total) const;

    // --- the whole ---

    // Sizes and strides that do not fit the device's push block become literals: another text, but one that runs.
    void inline_words(std::string& text);
    std::string head(std::string body);
    std::string field_text(const char* end) const;
    void label();
    void count_work();

    Program& program_;
    std::vector<PlanNode>& nodes_;
    Step& step_;
    struct Field {
        std::string type, name;
    };
    std::vector<Field> fields_;   // of the push block, one for each item of step_.push
    std::string prefix_;          // of their names
    std::map<std::pair<int, Dtype>, std::string> scalars_;
};

}  // namespace gpu
