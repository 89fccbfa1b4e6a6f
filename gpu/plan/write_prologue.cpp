// What a kernel computes as it loads an input: a function of an element of the carrier and its index, another of four neighbours, and
// where the kernel takes halves as they lie, one that packs eight.
#include <algorithm>

#include "gpu/plan/prologue.h"
#include "gpu/plan/step_writer.h"

namespace gpu {
namespace {

// Whether four neighbours of the carrier meet four neighbours of an operand, which begins at `offset`, by one aligned load, or one element alone.
bool meets_four(const Walk& walk, std::size_t view, std::int64_t offset) {
    const Shape& strides = walk.strides[view];
    if (strides.empty() || strides.back() == 0) return true;
    if (strides.back() != 1 || offset % 4 != 0) return false;
    return std::all_of(strides.begin(), strides.end() - 1, [](std::int64_t stride) { return stride % 4 == 0; });
}

}  // namespace

const Prologue* StepWriter::prologue_of(std::size_t input) const {
    const auto found = std::find_if(step_.prologues.begin(), step_.prologues.end(), [&](const Prologue& one) { return one.input == input; });
    return found == step_.prologues.end() ? nullptr : &*found;
}

std::string StepWriter::prologue_functions(const Prologue& prologue, std::string& declared) {
    const Kernel& kernel = *nodes_[step_.core].kernel;
    const std::string number = std::to_string(prologue.input), function = "prologue" + number + "_";
    const std::vector<int> inputs = prologue_inputs(program_, prologue);
    const Walk walk = prologue_walk(program_, prologue, inputs);

    // Written as a step of its own, so that values and push fields have names of their own.
    Step part;
    part.members = prologue.members;
    part.result = prologue.members.back();
    part.reads = step_.reads;
    StepWriter inner(program_, part);
    inner.prefix_ = "load" + number + "_";

    std::string place;   // of the element along each axis
    const bool alike = std::all_of(walk.strides.begin(), walk.strides.end(), [&](const Shape& strides) { return strides == walk.strides[0]; });
    for (std::size_t d = 0; !alike && d < walk.sizes.size(); ++d) {
        const std::string x = "x" + std::to_string(d), step = walk.strides[0][d] == 1 ? "" : inner.push_size(walk.strides[0][d], "step" + std::to_string(d));
        if (d == 0) place += "    uint xr = i;\n";
        place += "    const uint " + x + " = xr" + (step.empty() ? "" : " / " + step + "; xr %= " + step) + ";\n";
    }
    struct Load {
        std::string type, one, four;   // expressions
    };
    std::vector<Load> loads;
    std::map<int, std::string> loaded{{prologue.carrier, "value"}};
    bool by_four = !walk.sizes.empty() && walk.strides[0].back() == 1 && walk.sizes.back() % 4 == 0;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
        const std::size_t read = read_of(inputs[k], kernel.inputs.size());
        const Operand& operand = step_.reads[read];
        const std::string buffer = inner.push_read(read), name = "in" + std::to_string(read);
        const std::string base = walk.strides[k + 1] == walk.strides[0] ? "i" : inner.address(walk, k + 1, "x", name);
        const std::string at = "(" + buffer + ", " + inner.with_offset(base, operand.view.offset, name) + ")", one = load(read) + at;
        const bool repeated = walk.strides[k + 1].empty() || walk.strides[k + 1].back() == 0;
        by_four = by_four && is_float(operand.dtype) && (repeated || is_plain(operand)) && meets_four(walk, k + 1, operand.view.offset);
        loads.push_back({compute_type(operand.dtype), one, repeated ? "vec4(" + one + ")" : "load4_" + reference_type(operand) + at});
        loaded[inputs[k]] = "l" + std::to_string(k);
    }
    std::string chain;
    for (const int member : prologue.members) chain += inner.statement(member, loaded);
    const std::string result = "v" + std::to_string(inner.local(part.result));

    std::string text = "float " + function + "(float value, uint i) {\n" + place;
    for (std::size_t k = 0; k < loads.size(); ++k) text += "    const " + loads[k].type + " l" + std::to_string(k) + " = " + loads[k].one + ";\n";
    text += chain + "    return " + result + ";\n}\n";
    declared += "float " + function + "(float value, uint i); ";
    if (kernel.vectors) {
        text += "vec4 " + function + "4(vec4 values, uint i) {\n";
        if (by_four) {
            text += place;
            for (std::size_t k = 0; k < loads.size(); ++k) text += "    const vec4 w" + std::to_string(k) + " = " + loads[k].four + ";\n";
            text += "    vec4 y;\n    for (uint e = 0; e < 4; ++e) {\n    const float value = values[e];\n";
            for (std::size_t k = 0; k < loads.size(); ++k) text += "    const float l" + std::to_string(k) + " = w" + std::to_string(k) + "[e];\n";
            text += chain + "    y[e] = " + result + ";\n    }\n    return y;\n}\n";
        } else {
            text += "    vec4 y;\n    for (uint e = 0; e < 4; ++e) y[e] = " + function + "(values[e], i + e);\n    return y;\n}\n";
        }
        const std::string type = reference_type(step_.reads[prologue.input]), load4 = "load4_" + type;
        declared += "vec4 " + function + "4(vec4 values, uint i); ";
        if (packs_words(prologue)) {
            text += "uvec4 " + function + "8(" + type + " b, uint i) {\n    const vec4 x = " + function + "4(" + load4 + "(b, i), i), y = " + function + "4(" + load4 +
                    "(b, i + 4), i + 4);\n    return uvec4(packHalf2x16(x.xy), packHalf2x16(x.zw), packHalf2x16(y.xy), packHalf2x16(y.zw));\n}\n";
            declared += "uvec4 " + function + "8(" + type + " b, uint i); ";
        }
    }
    for (const std::string& one : part.defines) define(one);
    fields_.insert(fields_.end(), inner.fields_.begin(), inner.fields_.end());
    step_.push.insert(step_.push.end(), part.push.begin(), part.push.end());
    return text;
}

}  // namespace gpu
