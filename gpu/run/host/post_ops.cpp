#include "gpu/run/host/post_ops.h"

#include <algorithm>
#include <cmath>

#include "gpu/base/error.h"

namespace gpu {
namespace {

template <typename F>
void each(float* values, std::int64_t count, F f) {
    for (std::int64_t i = 0; i < count; ++i) values[i] = f(values[i], i);
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
        if (post.name == "add") {
            if (step == 1) {   // a loop of its own, which becomes vectors
                each(values, count, [&](float x, std::int64_t i) { return x + other[i]; });
            } else {
                each(values, count, [&](float x, std::int64_t i) { return x + other[i * step]; });
            }
        } else if (post.name == "mul") {
            if (step == 1) {   // a loop of its own, which becomes vectors
                each(values, count, [&](float x, std::int64_t i) { return x * other[i]; });
            } else {
                each(values, count, [&](float x, std::int64_t i) { return x * other[i * step]; });
            }
        } else if (post.name == "relu") {
            each(values, count, [](float x, std::int64_t) { return x > 0 ? x : 0; });
        } else if (post.name == "tanh") {
            each(values, count, [](float x, std::int64_t) { return std::tanh(x); });
        } else if (post.name == "sigmoid") {
            each(values, count, [](float x, std::int64_t) { return 1 / (1 + std::exp(-x)); });
        } else if (post.name == "swish") {
            each(values, count, [](float x, std::int64_t) { return x / (1 + std::exp(-x)); });
        } else {
            throw Error(ErrorCode::Failure, "host kernel: expected a known post-operation, got {}", post.name);
        }
    }
}

}  // namespace gpu
