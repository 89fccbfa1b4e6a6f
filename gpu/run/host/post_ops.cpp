#include "gpu/run/host/post_ops.h"

#include <algorithm>

#include "gpu/base/error.h"
#include "gpu/graph/vector_math.h"

namespace gpu {
namespace {

// The vectorised functions that host kernels take behind them; null for a name that is none. `single`: the operand is one number.
VectorFunction function_of(const std::string& name, bool single) {
    static const VectorFunction sigmoid = vector_function("sigmoid"), swish = vector_pair(sigmoid, vector_function("mul"));
    static const VectorFunction relu = vector_function("relu"), tanh = vector_function("tanh");
    static const VectorFunction add = vector_function("add"), add_single = vector_function("add", 2);
    static const VectorFunction mul = vector_function("mul"), mul_single = vector_function("mul", 2);
    if (name == "add") return single ? add_single : add;
    if (name == "mul") return single ? mul_single : mul;
    return name == "swish" ? swish : name == "relu" ? relu : name == "sigmoid" ? sigmoid : name == "tanh" ? tanh : nullptr;
}

}  // namespace

std::vector<HostOperand> channels_behind(std::vector<HostOperand> operands) {
    for (HostOperand& operand : operands)
        for (Shape* list : {&operand.shape, &operand.strides}) std::rotate(list->begin() + 1, list->begin() + 2, list->end());
    return operands;
}

void apply_post_ops(const HostCall& call, std::span<const std::int64_t> index, float* values, std::int64_t count) {
    for (const PostOp& post : call.post_ops) {
        const float* other = nullptr;
        std::int64_t step = 0;
        if (post.operand >= 0) {
            const HostOperand& operand = call.post_operands[post.operand];
            std::int64_t at = 0;
            for (std::size_t axis = 0; axis < index.size(); ++axis)
                if (operand.shape[axis] != 1) at += index[axis] * operand.strides[axis];
            other = reinterpret_cast<const float*>(operand.data) + at;
            step = operand.shape.back() == 1 ? 0 : operand.strides.back();
        }
        const VectorFunction function = function_of(post.name, step == 0);
        check(function != nullptr, ErrorCode::Failure, "host kernel: expected a known post-operation, got {}", post.name);
        const bool strided = step > 1;
        for (std::int64_t i = 0; i < count; i += strided ? 1 : count) {
            const float* const in[2]{values + i, other + i * step};
            function(in, values + i, static_cast<std::size_t>(strided ? 1 : count));
        }
    }
}

}  // namespace gpu
