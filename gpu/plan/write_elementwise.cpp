// Steps that compute each element on its own: chains of primitives, copies into a part, padding.
#include "gpu/plan/step_writer.h"

namespace gpu {

void StepWriter::write_elementwise() {
    const auto reads = reads_by_node(step_.members, 0);
    for (std::size_t r = 0; r < step_.reads.size(); ++r) push_read(r);
    push_write();
    const PlanNode& result = nodes_[step_.result];
    std::vector<const View*> views{&step_.write.view};
    for (const auto& [node, read] : reads) views.push_back(&step_.reads[read].view);
    const Walk walk = merge(result.spec.shape, views, all_axes());
    std::map<int, std::string> loaded;
    std::string body = loads(walk, reads, 1, "i", loaded);
    for (const int member : step_.members) body += statement(member, loaded);
    body += "    " + store() + "(p.result, i, v" + std::to_string(local(step_.result)) + ");\n";
    step_.source = head(walk_loop(walk, element_count(result.spec.shape), body));
}

void StepWriter::write_part() {
    push_read(0);
    push_write();
    const View &from = step_.reads[0].view, &to = step_.write.view;
    const Walk walk = merge(to.shape, {&to, &from}, all_axes());
    const std::string target = walk.linear(0) ? "i" : address(walk, 0, "x", "out");
    const std::string source = walk.linear(1) ? "i" : address(walk, 1, "x", "in0");
    const std::string body = "    " + store() + "(p.result, " + with_offset(target, to.offset, "out") + ", " + load(0) + "(p.in0, " +
            with_offset(source, from.offset, "in0") + "));\n";
    step_.source = head(walk_loop(walk, element_count(to.shape), body));
}

void StepWriter::write_padding() {
    const PlanNode &node = nodes_[step_.result], &input = nodes_[node.inputs[0]];
    const auto [before, interior] = static_cast<const MovementOp&>(*node.op).padding();
    push_read(0);
    push_write();
    std::string body = "    uint r = i;\n    bool inside = true;\n    uint from = " + with_offset("0u", input.view.offset, "in0") + ";\n";
    for (std::size_t d = node.order.size(); d-- > 0;) {
        const int axis = node.order[d];
        if (node.spec.shape[axis] == 1 && before[axis] == 0) continue;
        const std::string name = std::to_string(axis), size = push_size(node.spec.shape[axis], "size" + name);
        body += "    int a" + name + " = int(r % " + size + "); r /= " + size + ";\n";
        if (before[axis] != 0) body += "    a" + name + " -= int(" + push_size(before[axis], "before" + name) + ");\n";
        std::string limit = "a" + name;
        if (interior[axis] != 0) {
            const std::string step = push_size(interior[axis] + 1, "step" + name);
            body += "    inside = inside && a" + name + " >= 0 && a" + name + " % int(" + step + ") == 0;\n    a" + name +
                    " /= int(" + step + ");\n";
        }
        body += "    inside = inside && a" + name + " >= 0 && a" + name + " < int(" + push_size(input.spec.shape[axis], "length" + name) + ");\n";
        body += "    from += uint(a" + name + ") * " + push_size(input.view.strides[axis], "stride" + name) + ";\n";
    }
    const std::string type = compute_type(node.spec.dtype);
    body += "    " + type + " value = " + type + "(0);\n    if (inside) value = " + load(0) + "(p.in0, from);\n    " +
            store() + "(p.result, i, value);\n";
    step_.source = head(element_loop(element_count(node.spec.shape), body));
}

}  // namespace gpu
