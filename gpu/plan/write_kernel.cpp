// Steps around a kernel op: its own shader, with what was fused around it as macros and functions.
#include "gpu/plan/step_writer.h"

namespace gpu {

void StepWriter::write_kernel() {
    const PlanNode& core = nodes_[step_.core];
    const Kernel& kernel = *core.kernel;
    step_.defines.insert(step_.defines.end(), kernel.defines.begin(), kernel.defines.end());
    step_.constants = kernel.constants;
    step_.groups = kernel.groups;
    step_.subgroup_size = kernel.subgroup_size;
    for (std::size_t i = 0; i < kernel.inputs.size(); ++i) {
        const Prologue* const prologue = prologue_of(i);
        const std::string name = std::to_string(i);
        if (kernel.vectors) define_vectors(i, prologue);
        define("IN" + name + "=" + reference_type(step_.reads[i]));
        define(prologue ? "LOAD" + name + "(b, i)=prologue" + name + "_(" + load(i) + "(b, i), i)" : "LOAD" + name + "=" + load(i));
        push_read(i, true);
    }
    define("OUT=" + reference_type(step_.write));
    define("STORE=" + store());
    push_write();
    for (const std::uint32_t word : kernel.push) push_size(word, "unused");
    for (std::size_t i = 0; i < kernel.inputs.size(); ++i) {
        if (!kernel.inputs[i].order.empty()) continue;
        for (const std::int64_t stride : step_.reads[i].view.strides) push_size(stride, "unused");
    }
    step_.source = "@" + kernel.shader;   // read from shaders/ by the runtime
    fields_.clear();
    if (step_.members.size() == 1 && step_.prologues.empty()) return;

    std::string declared, functions;
    for (const Prologue& prologue : step_.prologues) functions += prologue_functions(prologue, declared);
    if (step_.members.size() > 1) functions += epilogue_function();
    inline_words(functions);
    step_.source += "\n#define FUSED_PUSH " + field_text(" ");
    if (!declared.empty()) step_.source += "\n#define PROLOGUES " + declared;
    if (step_.members.size() > 1) step_.source += "\n#define EPILOGUE(value, index) epilogue_(value, index)";
    step_.source += "\n@\n" + functions;
}

std::string StepWriter::epilogue_function() {
    const std::vector<int> after(step_.members.begin() + 1, step_.members.end());
    const auto reads = reads_by_node(after, nodes_[step_.core].kernel->inputs.size());
    for (const auto& [node, read] : reads) push_read(read);
    const PlanNode& result = nodes_[step_.result];   // elements lie as the kernel has them, in another shape perhaps
    std::vector<const View*> views{&result.view};
    for (const auto& [node, read] : reads) views.push_back(&step_.reads[read].view);
    const Walk walk = merge(result.spec.shape, views, result.order);
    std::string body = walk_coordinates(walk, "i");
    std::map<int, std::string> loaded;
    body += loads(walk, reads, 1, "i", loaded);
    body = "    const float v0 = value;\n" + body;
    for (const int member : after) body += statement(member, loaded);
    return "float epilogue_(float value, uint i) {\n" + body + "    return v" + std::to_string(local(step_.result)) + ";\n}\n";
}

// Along which axis neighbours of an input lie side by side, and how many of them a load may take.
StepWriter::Neighbours StepWriter::neighbours(std::size_t read) const {
    const Operand& operand = step_.reads[read];
    const View& view = operand.view;
    Neighbours found;
    for (std::size_t d = 0; d < view.shape.size(); ++d)
        if (view.shape[d] > 1 && view.strides[d] == 1) found.axis = static_cast<int>(d);
    if (!is_plain(operand) || found.axis < 0) return found;
    found.count = 8;
    const auto divides = [&] {
        for (std::size_t d = 0; d < view.shape.size(); ++d) {
            const std::int64_t step = static_cast<int>(d) == found.axis ? view.shape[d] : view.strides[d];
            if (view.shape[d] > 1 && step % found.count != 0) return false;
        }
        return view.offset % found.count == 0;
    };
    while (found.count > 1 && !divides()) found.count /= 2;
    return found;
}

// Whether the kernel gets eight of a prologue's halves at once, as it would from memory.
bool StepWriter::packs_words(const Prologue& prologue) const {
    return neighbours(prologue.input).count == 8 && nodes_[prologue.node].spec.dtype == Dtype::F16;
}

void StepWriter::define_vectors(std::size_t read, const Prologue* prologue) {
    const Operand& operand = step_.reads[read];
    const Neighbours side = neighbours(read);
    const std::string name = std::to_string(read), load4 = "load4_" + std::string(name_of(operand.dtype));
    if (prologue) {
        if (side.count >= 4) define("LOAD4_" + name + "(b, i)=prologue" + name + "_4(" + load4 + "(b, i), i)");
        if (packs_words(*prologue)) define("WORDS8_" + name + "=prologue" + name + "_8");
    } else {
        if (side.count >= 4) define("LOAD4_" + name + "=" + load4);
        if (side.count == 8 && operand.dtype == Dtype::F16) define("WORDS8_" + name + "=words8_F16");
        if (is_plain(operand) && operand.dtype == Dtype::F16) define("HALVES" + name);
    }
    define("AXIS" + name + "=" + std::to_string(side.axis));
    define("VECTOR" + name + "=" + std::to_string(side.count));
}

}  // namespace gpu
