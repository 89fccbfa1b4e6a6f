#include "tests/support/op_cases.h"

using namespace gpu;

namespace {

Tensor spread_ids(std::int64_t count, std::int64_t length, const Shape& shape) {
    std::vector<std::int32_t> ids(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) ids[i] = static_cast<std::int32_t>(i * 7919 % length);
    return tensor_i32(ids, shape);
}

}  // namespace

OP_CASES(scatter_add, list) {
    for (const std::int64_t count : {1, 63, 64, 65, 200})
        list.add({.in = {{count, 3}}, .gradient = count < 70}, [=](const Tensors& in) { return scatter_add(in[0], spread_ids(count, 17, {count, 1}), 0, 17); });
    list.add({.in = {{2, 5, 3}}}, [](const Tensors& in) { return scatter_add(in[0], spread_ids(30, 4, {2, 5, 3}), 1, 4); });
    list.add({.in = {{2, 5, 3}}}, [](const Tensors& in) { return scatter_add(in[0], spread_ids(5, 4, {1, 5, 1}), 1, 4) * 2.0; });
    list.add({.in = {{2, 5, 3}}}, [](const Tensors& in) { return scatter_add(permute(in[0], {2, 0, 1}), spread_ids(5, 9, {1, 1, 5}), 2, 9); });
    list.add({.in = {{300}}}, [](const Tensors& in) { return scatter_add(in[0], spread_ids(300, 1, {300}), 0, 1); });
    list.add({.in = {{0, 3}}, .gradient = false}, [](const Tensors& in) { return scatter_add(in[0], tensor_i32(std::span<const std::int32_t>(), {0, 1}), 0, 5); });
    list.add({.in = {{4, 40}}, .gradient = false}, [](const Tensors& in) {   // I32
        return cast(scatter_add(cast(in[0] * 90.0, Dtype::I32), spread_ids(40, 6, {1, 40}), 1, 6), Dtype::F32);
    });
}
