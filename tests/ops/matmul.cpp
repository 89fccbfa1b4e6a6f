#include "tests/support/op_cases.h"

using namespace gpu;

OP_CASES(matmul, list) {
    for (const std::int64_t n : {1, 3, 4, 5, 15, 16, 17, 63, 64, 65})
        list.add({.in = {{n, 7}, {7, n + 1}}, .gradient = n < 20}, [](const Tensors& in) { return matmul(in[0], in[1]); });
    list.add({.in = {{5, 6}, {8, 6}}}, [](const Tensors& in) { return matmul(in[0], transpose(in[1], 0, 1)); });
    list.add({.in = {{6, 5}, {6, 8}}}, [](const Tensors& in) { return matmul(transpose(in[0], 0, 1), in[1]); });
    list.add({.in = {{2, 3, 5, 6}, {6, 4}}}, [](const Tensors& in) { return matmul(in[0], in[1]); });
    list.add({.in = {{2, 3, 5, 6}, {3, 6, 4}}}, [](const Tensors& in) { return matmul(in[0], in[1]); });
    list.add({.in = {{2, 1, 5, 6}, {3, 6, 4}}}, [](const Tensors& in) { return matmul(in[0], in[1]); });
    list.add({.in = {{9, 6}, {6, 8}, {8}}}, [](const Tensors& in) { return silu(matmul(in[0], in[1]) + in[2]); });
    list.add({.in = {{9, 6}, {6, 8}, {8}, {9, 8}}}, [](const Tensors& in) { return relu(matmul(in[0], in[1]) + in[2]) * 0.5 + in[3]; });
    list.add({.in = {{9, 6}, {6, 8}}}, [](const Tensors& in) { const Tensor y = matmul(in[0], in[1]); return y * tanh(y) + y; });
    list.add({.in = {{300, 130}, {130, 70}}, .gradient = false}, [](const Tensors& in) { return matmul(in[0], in[1]); });
    // few results of long sums: parts that end with the sum, and parts that do not
    list.add({.in = {{5, 500}, {500, 7}, {7}}, .gradient = false}, [](const Tensors& in) { return silu(matmul(in[0], in[1]) + in[2]); });
    list.add({.in = {{2, 5, 1100}, {2, 9, 1100}}, .gradient = false}, [](const Tensors& in) { return matmul(in[0], transpose(in[1], 1, 2)); });
    list.add({.in = {{9, 12}, {6, 8}}}, [](const Tensors& in) { return matmul(slice(in[0], 1, 3, 9), in[1]); });
    list.add({.in = {{9, 6}, {6, 8}}}, [](const Tensors& in) { return matmul(flip(in[0], 1), in[1]); });
    list.add({.in = {{9, 12}, {3, 8}}}, [](const Tensors& in) { return matmul(slice(in[0], 1, 0, 12, 5), in[1]); });   // strides that interleave
}
