#include "gpu/run/oracle.h"

#include <cmath>
#include <cstring>
#include <unordered_map>

#include "gpu/base/error.h"
#include "gpu/graph/op.h"
#include "gpu/run/leaf.h"

namespace gpu {
namespace {

using Values = std::vector<double>;
using Memo = std::unordered_map<std::uint64_t, Values>;

// Calls visit(index) for every index of `shape` in row-major order.
template <typename Visit>
void for_each_index(const Shape& shape, Visit visit) {
    std::vector<std::int64_t> index(shape.size(), 0);
    const std::int64_t count = element_count(shape);
    for (std::int64_t i = 0; i < count; ++i) {
        visit(index, i);
        for (std::size_t d = shape.size(); d-- > 0;) {
            if (++index[d] < shape[d]) break;
            index[d] = 0;
        }
    }
}

Values reduce(const ReduceOp& op, const Spec& in, const Spec& out, const Values& x) {
    Values result(static_cast<std::size_t>(element_count(out.shape)), op.identity());
    const Shape strides = dense_strides(out.shape, row_major(out.shape.size()));
    for_each_index(in.shape, [&](const std::vector<std::int64_t>& index, std::int64_t i) {
        std::int64_t at = 0;
        for (std::size_t d = 0; d < index.size(); ++d)
            if (out.shape[d] != 1) at += index[d] * strides[d];
        result[at] = op.combine(result[at], x[i]);
    });
    return result;
}

double rounded(double value, Dtype dtype) {
    switch (dtype) {
        case Dtype::F16: return f16_to_float(float_to_f16(static_cast<float>(value)));
        case Dtype::BF16: return bf16_to_float(float_to_bf16(static_cast<float>(value)));
        case Dtype::I32: return std::trunc(value);
        default: return value;
    }
}

Values compute(const Tensor& root, Memo& memo);

Values compute_op(const Op& op, const Tensors& inputs, const Spec& out, Memo& memo) {
    std::vector<const Values*> in;
    for (const Tensor& input : inputs) in.push_back(&memo.at(input.id()));
    if (op.kind() == OpKind::Kernel) {
        Specs specs;
        for (const Tensor& input : inputs) specs.push_back(input.spec());
        std::vector<std::span<const double>> elements;
        for (const Values* values : in) elements.emplace_back(*values);
        if (auto values = op.reference(elements, specs)) {
            for (double& value : *values) value = rounded(value, out.dtype);
            return *std::move(values);
        }
        return compute(op.composite(inputs), memo);
    }
    Values result(static_cast<std::size_t>(element_count(out.shape)));
    if (const auto* elementwise = dynamic_cast<const ElementwiseOp*>(&op)) {
        std::vector<double> operands(in.size());
        for (std::size_t i = 0; i < result.size(); ++i) {
            for (std::size_t k = 0; k < in.size(); ++k) operands[k] = (*in[k])[i];
            result[i] = rounded(elementwise->eval(operands.data()), out.dtype);
        }
    } else if (const auto* source = dynamic_cast<const SourceOp*>(&op)) {
        for (std::size_t i = 0; i < result.size(); ++i) result[i] = source->eval(static_cast<std::int64_t>(i));
    } else if (const auto* reduction = dynamic_cast<const ReduceOp*>(&op)) {
        result = reduce(*reduction, inputs[0].spec(), out, *in[0]);
    } else {
        const auto& movement = dynamic_cast<const MovementOp&>(op);
        for_each_index(out.shape, [&](const std::vector<std::int64_t>& index, std::int64_t i) {
            const std::int64_t from = movement.source(index, inputs[0].shape());
            result[i] = from < 0 ? 0 : (*in[0])[from];
        });
    }
    return result;
}

Values compute(const Tensor& root, Memo& memo) {
    std::vector<std::pair<Tensor, std::size_t>> stack{{root, 0}};
    while (!stack.empty()) {
        const Tensor tensor = stack.back().first;
        if (memo.contains(tensor.id())) {
            stack.pop_back();
        } else if (const StorageRef value = tensor.value()) {
            memo[tensor.id()] = read_doubles(value);
            stack.pop_back();
        } else if (stack.back().second < tensor.inputs().size()) {
            stack.emplace_back(tensor.inputs()[stack.back().second++], 0);
        } else {
            Values values = compute_op(*tensor.op(), tensor.inputs(), tensor.spec(), memo);
            memo[tensor.id()] = std::move(values);
            stack.pop_back();
        }
    }
    return memo.at(root.id());
}

double element(const std::byte* at, Dtype dtype) {
    const auto as = [&](auto value) {
        std::memcpy(&value, at, sizeof value);
        return value;
    };
    switch (dtype) {
        case Dtype::F32: return as(0.0f);
        case Dtype::F64: return as(0.0);
        case Dtype::F16: return f16_to_float(as(std::uint16_t{}));
        case Dtype::BF16: return bf16_to_float(as(std::uint16_t{}));
        case Dtype::I64: return static_cast<double>(as(std::int64_t{}));
        case Dtype::I32: return as(std::int32_t{});
        case Dtype::I16: return as(std::int16_t{});
        case Dtype::I8: return as(std::int8_t{});
        case Dtype::U8: case Dtype::Bool: return as(std::uint8_t{});
    }
    return 0;
}

}  // namespace

std::vector<double> oracle(const Tensor& x) {
    Memo memo;
    return compute(x, memo);
}

std::vector<double> oracle_of(const Op& op, const Tensors& inputs) {
    Memo memo;
    Specs specs;
    for (const Tensor& input : inputs) {
        compute(input, memo);
        specs.push_back(input.spec());
    }
    return compute_op(op, inputs, op.infer(specs), memo);
}

std::vector<double> read_doubles(const StorageRef& storage) {
    std::vector<std::byte> bytes(storage->bytes());
    reorder(host_bytes(storage), bytes, storage->spec, storage->order, row_major(storage->spec.shape.size()));
    const std::size_t size = size_of(storage->spec.dtype);
    std::vector<double> values(bytes.size() / size);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = element(bytes.data() + i * size, storage->spec.dtype);
    return values;
}

double relative_error(const std::vector<double>& a, const std::vector<double>& b) {
    if (a.size() != b.size()) return INFINITY;
    double difference = 0, norm = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference += (a[i] - b[i]) * (a[i] - b[i]);
        norm += b[i] * b[i];
    }
    return norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
}

}  // namespace gpu
