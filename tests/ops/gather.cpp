#include "tests/support/op_cases.h"

using namespace gpu;

namespace {

Tensor ids_of(std::vector<std::int32_t> ids, const Shape& shape) { return tensor_i32(ids, shape); }

// Ids that are computed on the device: positions of the least elements.
Tensor computed_ids(const Tensor& x) { return argmin(x, -1, false); }

}  // namespace

OP_CASES(gather, list) {
    list.add({.in = {{5, 7}}}, [](const Tensors& in) { return embedding(in[0], ids_of({4, 0, 0, 3, 4, 1}, {2, 3})); });
    list.add({.in = {{5, 7}}}, [](const Tensors& in) { return embedding(in[0], ids_of({2}, {})); });
    list.add({.in = {{5, 7}}, .gradient = false}, [](const Tensors& in) { return embedding(in[0], ids_of({}, {0})); });
    list.add({.in = {{1, 1}}}, [](const Tensors& in) { return embedding(in[0], ids_of({0, 0}, {2})); });
    list.add({.in = {{600, 129}}, .gradient = false}, [](const Tensors& in) {
        std::vector<std::int32_t> ids(200);
        for (int i = 0; i < 200; ++i) ids[i] = i * 7919 % 600;
        return silu(embedding(in[0], ids_of(ids, {200})) * 2.0);
    });
    list.add({.in = {{3, 4, 5}}}, [](const Tensors& in) { return take(in[0], ids_of({3, 1, 1}, {3}), 1); });
    list.add({.in = {{3, 4, 5}}}, [](const Tensors& in) { return take(in[0], ids_of({2, 0}, {2}), 0) * 3.0; });
    list.add({.in = {{3, 4, 5}}}, [](const Tensors& in) { return take(permute(in[0], {2, 0, 1}), ids_of({4, 0, 4}, {3}), 0); });
    list.add({.in = {{2, 3, 4}}}, [](const Tensors& in) { return gather(in[0], ids_of({0, 1, 2, 0, 2, 2, 1, 1}, {2, 1, 4}), 1); });
    list.add({.in = {{2, 3, 4}}}, [](const Tensors& in) { return gather(in[0], ids_of({0, 1, 2, 1}, {2, 2, 1}), 1); });
    list.add({.in = {{2, 3, 4}}}, [](const Tensors& in) { return gather(in[0], ids_of({3, 0, 0, 2}, {1, 1, 4}), -1); });
    list.add({.in = {{2, 3, 4, 2}}}, [](const Tensors& in) { return gather(in[0], ids_of({2, 0, 1}, {1, 3, 1, 1}), 1); });
    list.add({.in = {{2, 3, 2, 2}}}, [](const Tensors& in) { return gather(in[0], ids_of({1, 0, 1}, {1, 3, 1, 1}), 2); });   // ids broadcast over one outer axis
    list.add({.in = {{6, 4}, {3, 6}}, .low = -9, .high = 9}, [](const Tensors& in) { return take(in[0], computed_ids(in[1]), 0); });
    list.add({.in = {{4, 4}}, .gradient = false}, [](const Tensors& in) { return cast(take(cast(in[0] * 50.0, Dtype::I32), ids_of({3, 3, 0}, {3}), 1), Dtype::F32); });
    list.add({.in = {{4, 6}}, .gradient = false, .tolerance = 1e-3}, [](const Tensors& in) { return cast(take(cast(in[0], Dtype::F16), ids_of({3, 3, 0}, {3}), 0), Dtype::F32); });
    list.add({.in = {{4, 6}}}, [](const Tensors& in) { return matmul(one_hot(ids_of({1, 3, 0}, {3}), 4), in[0]); });
}
