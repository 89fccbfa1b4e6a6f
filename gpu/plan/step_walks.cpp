// Loops over elements and the addresses of views in them.
#include <algorithm>

#include "gpu/plan/step_writer.h"

namespace gpu {

std::string StepWriter::coordinates(const Walk& walk, const std::string& index, const std::string& prefix) {
    std::string text = "    uint " + prefix + "r = " + index + ";\n";
    for (std::size_t d = walk.sizes.size(); d-- > 0;) {
        const std::string name = prefix + std::to_string(d);
        if (d == 0) {
            text += "    const uint " + name + " = " + prefix + "r;\n";
        } else {
            const std::string size = push_size(walk.sizes[d], prefix + "size" + std::to_string(d));
            text += "    const uint " + name + " = " + prefix + "r % " + size + "; " + prefix + "r /= " + size + ";\n";
        }
    }
    return text;
}

std::string StepWriter::address(const Walk& walk, std::size_t view, const std::string& prefix, const std::string& name) {
    std::string text;
    for (std::size_t d = 0; d < walk.sizes.size(); ++d) {
        if (walk.strides[view][d] == 0) continue;
        std::string term = prefix + std::to_string(d);
        if (walk.strides[view][d] != 1) term += " * " + push_size(walk.strides[view][d], name + "s" + prefix + std::to_string(d));
        text += (text.empty() ? "" : " + ") + term;
    }
    return text.empty() ? "0u" : text;
}

std::string StepWriter::element_loop(std::int64_t count, const std::string& element) {
    const std::int64_t block = std::int64_t{program_.traits.lanes} * program_.traits.elements_per_lane;
    spread((count + block - 1) / block);
    const std::string n = push_size(count, "n"), size = std::to_string(block) + "u";
    return "    const uint first = (gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x) * " + size +
           ";\n    const uint last = min(first + " + size + ", " + n +
           ");\n    for (uint i = first + gl_LocalInvocationID.x; i < last; i += " + lanes() + ") {\n" + element + "    }\n";
}

std::string StepWriter::walk_loop(const Walk& walk, std::int64_t count, const std::string& element) {
    bool linear = true;
    for (std::size_t view = 0; view < walk.strides.size(); ++view) linear = linear && walk.linear(view);
    if (linear) return element_loop(count, element);
    if (walk.sizes.size() < 2 || walk.sizes.back() < program_.traits.lanes || count == 0)
        return element_loop(count, coordinates(walk, "i", "x") + element);
    Walk outer = walk;
    outer.sizes.pop_back();
    const std::int64_t length = walk.sizes.back(), rows = count / length;
    const std::int64_t block = std::max<std::int64_t>(1, program_.traits.lanes * program_.traits.elements_per_lane / length);
    spread((rows + block - 1) / block);
    const std::string x = "x" + std::to_string(walk.sizes.size() - 1), size = push_size(length, "row_size"),
                      all = push_size(rows, "rows"), some = push_size(block, "rows_per_group");
    return "    const uint first = (gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x) * " + some +
           ";\n    const uint last = min(first + " + some + ", " + all + ");\n    for (uint row = first; row < last; ++row) {\n" +
           coordinates(outer, "row", "x") + "    for (uint " + x + " = gl_LocalInvocationID.x; " + x + " < " + size + "; " + x +
           " += " + lanes() + ") {\n    const uint i = row * " + size + " + " + x + ";\n" + element + "    }\n    }\n";
}

std::string StepWriter::walk_coordinates(const Walk& walk, const std::string& index) {
    for (std::size_t view = 0; view < walk.strides.size(); ++view)
        if (!walk.linear(view)) return coordinates(walk, index, "x");
    return "";
}

std::string StepWriter::loads(const Walk& walk, const std::vector<std::pair<int, std::size_t>>& reads, std::size_t first_view,
                              const std::string& linear_index, std::map<int, std::string>& loaded) {
    std::string text;
    for (std::size_t k = 0; k < reads.size(); ++k) {
        const auto& [node, read] = reads[k];
        const std::string name = "in" + std::to_string(read);
        const std::string base = walk.linear(first_view + k) ? linear_index : address(walk, first_view + k, "x", name);
        const Dtype dtype = step_.reads[read].dtype;
        text += std::string("    const ") + compute_type(dtype) + " l" + std::to_string(k) + " = " + load(read) + "(p." + name +
                ", " + with_offset(base, step_.reads[read].view.offset, name) + ");\n";
        loaded[node] = "l" + std::to_string(k);
    }
    return text;
}

}  // namespace gpu
