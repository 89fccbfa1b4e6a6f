// Steps with a reduction: what precedes it is computed per term, what follows once per result.
#include <algorithm>

#include "gpu/plan/step_writer.h"

namespace gpu {

void StepWriter::write_reduce() {
    const PlanNode &reduce = nodes_[step_.reduce], &input = nodes_[reduce.inputs[0]], &result = nodes_[step_.result];
    const auto& op = static_cast<const ReduceOp&>(*reduce.op);
    const auto at = std::find(step_.members.begin(), step_.members.end(), step_.reduce);
    std::vector<int> before, after;
    for (const int member : step_.members)
        if (member != step_.reduce) (in_zone_before(member, input) ? before : after).push_back(member);
    std::vector<int> before_and_reduce = before;
    before_and_reduce.push_back(*at);
    const auto reads_before = reads_by_node(before_and_reduce, 0), reads_after = reads_by_node(after, 0);

    for (std::size_t r = 0; r < step_.reads.size(); ++r) push_read(r);
    push_write();
    // Result coordinates walk the kept axes; reduced axes have length 1 in the result and stride 0 in no view.
    std::vector<int> kept, reduced;
    for (const int axis : result.order)
        (std::find(op.axes().begin(), op.axes().end(), axis) != op.axes().end() ? reduced : kept).push_back(axis);
    std::vector<const View*> views{&step_.write.view};
    for (const auto& [node, read] : reads_before) views.push_back(&step_.reads[read].view);
    for (const auto& [node, read] : reads_after) views.push_back(&step_.reads[read].view);
    const Walk outer = merge(input.spec.shape, views, kept);
    const std::vector<const View*> inner_views(views.begin() + 1, views.begin() + 1 + static_cast<std::ptrdiff_t>(reads_before.size()));
    const Walk inner = merge(input.spec.shape, inner_views, reduced);

    const std::int64_t outputs = element_count(result.spec.shape), terms = element_count(input.spec.shape) / std::max<std::int64_t>(outputs, 1);
    // A workgroup for each result where its terms lie side by side, or where results are too few to fill the device.
    const bool contiguous = !inner.sizes.empty() && !reads_before.empty() && inner.strides[0].back() == 1;
    const bool cooperative = outputs <= program_.traits.max_groups && terms >= 16 && (contiguous || outputs <= 64);
    std::string body;
    body += coordinates(outer, "i", "x");
    std::map<int, std::string> loaded;
    std::string loop, bases;
    for (std::size_t k = 0; k < reads_before.size(); ++k) {
        const auto& [node, read] = reads_before[k];
        const std::string name = "in" + std::to_string(read), base = "b" + std::to_string(k);
        bases += "    const uint " + base + " = " + with_offset(address(outer, 1 + k, "x", name), step_.reads[read].view.offset, name) + ";\n";
        const std::string inside = inner.linear(k) ? "r" : address(inner, k, "y", name);
        loop += std::string("    const ") + compute_type(step_.reads[read].dtype) + " m" + std::to_string(k) + " = " + load(read) + "(p." + name +
                ", " + base + " + " + inside + ");\n";
        loaded[node] = "m" + std::to_string(k);
    }
    bool needs_coordinates = false;
    for (std::size_t k = 0; k < reads_before.size(); ++k) needs_coordinates |= !inner.linear(k);
    const std::string inner_coordinates = needs_coordinates ? coordinates(inner, "r", "y") : "";
    for (const int member : before) loop += statement(member, loaded);
    const std::string type = compute_type(reduce.spec.dtype), term = operand(reduce.inputs[0], loaded);
    const std::string count = push_size(terms, "terms");
    const std::string value = "v" + std::to_string(local(step_.reduce));
    body += bases + "    " + type + " total = " + type + "(" + op.glsl_identity() + ");\n";
    const std::string start = cooperative ? "lane" : "0u", stride = cooperative ? lanes() : "1u";
    body += "    for (uint r = " + start + "; r < " + count + "; r += " + stride + ") {\n" + inner_coordinates + loop +
            "    total = " + op.glsl_combine("total", term) + ";\n    }\n";
    if (cooperative) body += combine_lanes(op);
    body += "    const " + type + " " + value + " = total;\n";
    std::map<int, std::string> loaded_after;
    body += loads(outer, reads_after, 1 + reads_before.size(), "i", loaded_after);
    for (const int member : after) body += statement(member, loaded_after);
    body += "    " + store() + "(p.result, i, v" + std::to_string(local(step_.result)) + ");\n";
    if (cooperative) {
        step_.groups = {static_cast<std::uint32_t>(outputs), 1, 1};
        step_.source = head("    const uint i = gl_WorkGroupID.x, lane = gl_LocalInvocationID.x;\n" + body);
        step_.source.insert(step_.source.find("void main"), "shared " + type + " scratch[" + lanes() + "];\n");
    } else {
        step_.source = head(element_loop(outputs, body));
    }
}

std::string StepWriter::combine_lanes(const ReduceOp& op) const {
    return "    scratch[lane] = total;\n    barrier();\n    for (uint count = " + lanes() +
           "; count > 1u;) {\n        const uint half_ = (count + 1u) / 2u;\n        if (lane + half_ < count) scratch[lane] = " +
           op.glsl_combine("scratch[lane]", "scratch[lane + half_]") +
           ";\n        barrier();\n        count = half_;\n    }\n    if (lane != 0u) return;\n    total = scratch[0];\n";
}

}  // namespace gpu
