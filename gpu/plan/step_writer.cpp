#include "gpu/plan/step_writer.h"

#include <algorithm>
#include <regex>
#include <set>

#include "gpu/base/error.h"

namespace gpu {

std::string reference_type(const Operand& operand) {
    return std::string(operand.blocks ? name_of(*operand.blocks) : name_of(operand.dtype));
}

const char* compute_type(Dtype dtype) {
    switch (dtype) {
        case Dtype::I32: return "int";
        case Dtype::U8: case Dtype::Bool: return "uint";
        default: return "float";
    }
}

std::string StepWriter::push_word(const std::string& type, PushItem item, const std::string& name) {
    fields_.push_back({type, prefix_ + name});
    step_.push.push_back(item);
    return "p." + prefix_ + name;
}

std::string StepWriter::push_size(std::int64_t value, const std::string& name) {
    return push_word("uint", {PushItem::Word, static_cast<std::uint32_t>(value)}, name);
}

std::string StepWriter::push_read(std::size_t read, bool at_view) {
    uses(step_.reads[read]);
    return push_word(reference_type(step_.reads[read]),
                     {at_view ? PushItem::ReadView : PushItem::ReadAddress, static_cast<std::uint32_t>(read)},
                     "in" + std::to_string(read));
}

std::string StepWriter::push_write() {
    uses(step_.write);
    return push_word(reference_type(step_.write), {PushItem::WriteAddress}, "result");
}

std::string StepWriter::scalar(int index, Dtype dtype) {
    const auto key = std::pair(index, dtype);
    if (const auto known = scalars_.find(key); known != scalars_.end()) return known->second;
    return scalars_[key] = push_word(compute_type(dtype), {PushItem::Scalar, static_cast<std::uint32_t>(index), dtype},
                                     "c" + std::to_string(scalars_.size()));
}

std::string StepWriter::operand(int node, const std::map<int, std::string>& loaded) {
    if (nodes_[node].scalar >= 0) return scalar(nodes_[node].scalar, nodes_[node].spec.dtype);
    if (const auto found = loaded.find(node); found != loaded.end()) return found->second;
    return "v" + std::to_string(local(member_of(program_, step_, node)));
}

int StepWriter::local(int node) const {
    return static_cast<int>(std::find(step_.members.begin(), step_.members.end(), node) - step_.members.begin());
}

std::string StepWriter::statement(int member, const std::map<int, std::string>& loaded) {
    const PlanNode& node = nodes_[member];
    std::string value;
    if (node.scalar >= 0) {
        value = scalar(node.scalar, node.spec.dtype);
    } else if (node.op->kind() == OpKind::Source) {
        value = static_cast<const SourceOp&>(*node.op).glsl();
    } else {
        std::vector<std::string> operands;
        Specs specs;
        for (const int input : node.inputs) {
            operands.push_back(operand(input, loaded));
            specs.push_back(nodes_[input].spec);
        }
        value = static_cast<const ElementwiseOp&>(*node.op).glsl(operands, specs, node.spec.dtype);
    }
    return std::string("    const ") + compute_type(node.spec.dtype) + " v" + std::to_string(local(member)) + " = " +
           compute_type(node.spec.dtype) + "(" + value + ");\n";
}

std::size_t StepWriter::read_of(int node, std::size_t first_read) const {
    const PlanNode& from = nodes_[node];
    const auto same = [&](const Operand& read) {
        return read.root == from.root && read.view.offset == from.view.offset && read.view.strides == from.view.strides &&
               read.view.shape == from.view.shape && read.blocks == from.blocks;
    };
    const auto found = std::find_if(step_.reads.begin() + static_cast<std::ptrdiff_t>(first_read), step_.reads.end(), same);
    check(found != step_.reads.end(), ErrorCode::Failure, "generate: node {} is not among the reads", node);
    return static_cast<std::size_t>(found - step_.reads.begin());
}

std::vector<std::pair<int, std::size_t>> StepWriter::reads_by_node(const std::vector<int>& members, std::size_t first_read) const {
    std::vector<std::pair<int, std::size_t>> result;
    for (const int member : members)
        for (const int input : nodes_[member].inputs) {
            if (nodes_[input].scalar >= 0 || member_of(program_, step_, input) >= 0) continue;
            const auto pair = std::pair(input, read_of(input, first_read));
            if (std::find(result.begin(), result.end(), pair) == result.end()) result.push_back(pair);
        }
    return result;
}

void StepWriter::inline_words(std::string& text) {
    if (push_size_of(step_.push) <= program_.traits.max_push_bytes) return;
    const std::size_t first = step_.push.size() - fields_.size();   // a kernel's own come before
    std::vector<Field> fields;
    std::vector<PushItem> items(step_.push.begin(), step_.push.begin() + static_cast<std::ptrdiff_t>(first));
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        const PushItem& item = step_.push[first + i];
        if (item.kind == PushItem::Word) {
            text = std::regex_replace(text, std::regex("p\\." + fields_[i].name + "\\b"), std::to_string(item.value) + "u");
        } else {
            fields.push_back(fields_[i]);
            items.push_back(item);
        }
    }
    fields_ = std::move(fields);
    step_.push = std::move(items);
}

std::string StepWriter::head(std::string body) {
    inline_words(body);
    return "#version 460\n#include \"common/types.glsl\"\n#include \"common/math.glsl\"\nlayout(local_size_x = " +
           std::to_string(program_.traits.lanes) + ") in;\nlayout(push_constant, scalar) uniform Push {\n" + field_text("\n") +
           "} p;\n\nvoid main() {\n" + body + "}\n";
}

std::string StepWriter::field_text(const char* end) const {
    std::string text;
    for (const Field& field : fields_) text += "    " + field.type + " " + field.name + ";" + end;
    return text;
}

void StepWriter::spread(std::int64_t groups) {
    const std::int64_t columns = std::min<std::int64_t>(groups, program_.traits.max_groups);
    const std::int64_t rows = (groups + columns - 1) / std::max<std::int64_t>(columns, 1);
    step_.groups = {static_cast<std::uint32_t>(columns), static_cast<std::uint32_t>(rows), 1};
}

void StepWriter::label() {
    int first = step_.core >= 0 ? step_.core : step_.result;
    for (std::size_t i = step_.members.size(); i-- > 0;)   // the first reduction gives the step its name
        if (nodes_[step_.members[i]].op->kind() == OpKind::Reduce) first = step_.members[i];
    step_.label = std::string(nodes_[first].scalar >= 0 ? "full" : nodes_[first].op->name()) + " " + to_string(nodes_[first].spec.shape);
    for (const int member : step_.members)
        if (member != first) step_.label += " " + std::string(nodes_[member].op->name());
    for (const Prologue& prologue : step_.prologues) {
        step_.label += " of";
        for (const int member : prologue.members) step_.label += " " + std::string(nodes_[member].op->name());
    }
}

void StepWriter::count_work() {
    const auto bytes = [](const Operand& operand) {
        const View& view = operand.view;
        double count = operand.blocks ? static_cast<double>(bytes_of(*operand.blocks)) / static_cast<double>(elements_of(*operand.blocks))
                                      : static_cast<double>(size_of(operand.dtype));
        for (std::size_t i = 0; i < view.shape.size(); ++i)
            if (view.strides[i] != 0 || view.shape[i] == 1) count *= static_cast<double>(view.shape[i]);
        return count;
    };
    for (const Operand& read : step_.reads) step_.bytes += bytes(read);
    step_.bytes += bytes(step_.write);
    if (step_.core >= 0) step_.flop = nodes_[step_.core].kernel->flop;
}

}  // namespace gpu
