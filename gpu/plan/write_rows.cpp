// Steps with reductions: a row is what one element of their result is made of. It is walked in passes (rows.h).
#include <algorithm>
#include <iterator>

#include "gpu/plan/rows.h"
#include "gpu/plan/step_writer.h"

namespace gpu {
void StepWriter::write_rows() {
    const PlanNode& result = nodes_[step_.result];
    const RowPasses plan = row_passes(program_, step_);
    const bool along = result.spec.shape == step_.space;   // the result lies along the row
    std::vector<int> row_members = plan.before, full_members;
    for (const RowPass& pass : plan.passes) {
        row_members.insert(row_members.end(), pass.after.begin(), pass.after.end());
        full_members.insert(full_members.end(), pass.members.begin(), pass.members.end());
        full_members.insert(full_members.end(), pass.reductions.begin(), pass.reductions.end());
    }
    const auto row_reads = reads_by_node(row_members, 0), full_reads = reads_by_node(full_members, 0);
    for (std::size_t r = 0; r < step_.reads.size(); ++r) push_read(r);
    push_write();

    // Rows are counted along the kept axes, elements of a row along the reduced ones. Views: result, row reads, full reads.
    std::vector<int> kept, reduced;
    for (const int axis : result.order)
        (std::find(step_.axes.begin(), step_.axes.end(), axis) != step_.axes.end() ? reduced : kept).push_back(axis);
    std::vector<const View*> views{&step_.write.view};
    for (const auto& [node, read] : row_reads) views.push_back(&step_.reads[read].view);
    for (const auto& [node, read] : full_reads) views.push_back(&step_.reads[read].view);
    const Walk outer = merge(step_.space, views, kept);
    std::vector<const View*> inner_views(views.begin() + 1 + static_cast<std::ptrdiff_t>(row_reads.size()), views.end());
    if (along) inner_views.push_back(&step_.write.view);
    const Walk inner = merge(step_.space, inner_views, reduced);

    std::int64_t rows = 1, length = 1;
    for (const int axis : kept) rows *= step_.space[axis];
    for (const int axis : reduced) length *= step_.space[axis];
    // A workgroup for each row where its elements lie side by side, or where rows are too few to fill the device.
    bool contiguous = false;
    for (std::size_t k = 0; k < full_reads.size(); ++k)   // of something that differs from row to row
        contiguous |= !inner.sizes.empty() && inner.strides[k].back() == 1 &&
                      (outer.sizes.empty() || outer.strides[1 + row_reads.size() + k].back() != 0);
    const bool together = rows <= program_.traits.max_groups && length >= 16 && (contiguous || rows <= 64);

    std::string body = coordinates(outer, "i", "x");
    std::map<int, std::string> row_loaded;
    body += loads(outer, row_reads, 1, "i", row_loaded);
    for (std::size_t k = 0; k < full_reads.size(); ++k) {
        const std::string name = "in" + std::to_string(full_reads[k].second);
        body += "    const uint b" + std::to_string(k) + " = " +
                with_offset(address(outer, 1 + row_reads.size() + k, "x", name), step_.reads[full_reads[k].second].view.offset, name) + ";\n";
    }
    if (along) body += "    const uint br = " + address(outer, 0, "x", "out") + ";\n";
    for (const int member : plan.before) body += statement(member, row_loaded);

    bool linear = true;
    for (std::size_t k = 0; k < inner.strides.size(); ++k) linear = linear && inner.linear(k);
    const std::string element_coordinates = linear ? "" : coordinates(inner, "r", "y"), count = push_size(length, "terms");
    const std::string start = together ? "lane" : "0u", stride = together ? lanes() : "1u";
    std::vector<std::string> inside;   // index within the row, per full read and for the result
    for (std::size_t k = 0; k < inner.strides.size(); ++k)
        inside.push_back(inner.linear(k) ? "r" : address(inner, k, "y", k < full_reads.size() ? "in" + std::to_string(full_reads[k].second) : "out"));

    for (const RowPass& pass : plan.passes) {
        std::vector<int> readers = pass.members;
        readers.insert(readers.end(), pass.reductions.begin(), pass.reductions.end());
        std::map<int, std::string> loaded;
        std::string loop, totals, combined;
        for (const auto& [node, read] : reads_by_node(readers, 0)) {
            const auto at = std::find(full_reads.begin(), full_reads.end(), std::pair(node, read));
            const std::string k = std::to_string(at - full_reads.begin());
            const Dtype dtype = step_.reads[read].dtype;
            loop += std::string("    const ") + compute_type(dtype) + " m" + k + " = " + load(read) + "(p.in" + std::to_string(read) +
                    ", b" + k + " + " + inside[at - full_reads.begin()] + ");\n";
            loaded[node] = "m" + k;
        }
        for (const int member : pass.members) loop += statement(member, loaded);
        for (const int reduction : pass.reductions) {
            const auto& op = static_cast<const ReduceOp&>(*nodes_[reduction].op);
            const std::string type = compute_type(nodes_[reduction].spec.dtype), name = std::to_string(local(reduction)), total = "total" + name;
            totals += "    " + type + " " + total + " = " + type + "(" + op.glsl_identity() + ");\n";
            loop += "    " + total + " = " + op.glsl_combine(total, operand(nodes_[reduction].inputs[0], loaded)) + ";\n";
            if (together) combined += combine_lanes(op, "scratch_" + type, total);
            combined += "    const " + type + " v" + name + " = " + total + ";\n";
        }
        if (pass.stores) loop += "    " + store() + "(p.result, br + " + inside.back() + ", v" + std::to_string(local(step_.result)) + ");\n";
        body += totals + "    for (uint r = " + start + "; r < " + count + "; r += " + stride + ") {\n" + element_coordinates + loop +
                "    }\n" + combined;
        for (const int member : pass.after) body += statement(member, row_loaded);
    }
    if (!along) {
        const std::string guard = together ? "if (lane == 0u) " : "";
        body += "    " + guard + store() + "(p.result, i, v" + std::to_string(local(step_.result)) + ");\n";
    }
    if (!together) {
        step_.source = head(element_loop(rows, body));
        return;
    }
    step_.groups = {static_cast<std::uint32_t>(rows), 1, 1};
    step_.source = head("    const uint i = gl_WorkGroupID.x, lane = gl_LocalInvocationID.x;\n" + body);
    std::string scratch;
    for (const std::string type : {"float", "int"})
        if (body.find("scratch_" + type) != std::string::npos) scratch += "shared " + type + " scratch_" + type + "[" + lanes() + "];\n";
    step_.source.insert(step_.source.find("void main"), scratch);
}

std::string StepWriter::combine_lanes(const ReduceOp& op, const std::string& scratch, const std::string& total) const {
    // Halves the lanes until one holds the total; their number need not be a power of two.
    return "    " + scratch + "[lane] = " + total + ";\n    barrier();\n    for (uint count = " + lanes() +
           "; count > 1u;) {\n        const uint half_ = (count + 1u) / 2u;\n        if (lane + half_ < count) " + scratch + "[lane] = " +
           op.glsl_combine(scratch + "[lane]", scratch + "[lane + half_]") +
           ";\n        barrier();\n        count = half_;\n    }\n    " + total + " = " + scratch + "[0];\n    barrier();\n";
}

}  // namespace gpu
