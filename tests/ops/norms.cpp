#include "tests/support/op_cases.h"

using namespace gpu;

OP_CASES(norms, list) {
    // Rows of 1, around the vector widths, and longer than a block of the host's interpreter.
    for (const std::int64_t length : {2, 15, 16, 17, 63, 64, 65, 511, 513, 1200}) {
        list.add({.in = {{3, length}, {length}, {length}}, .gradient = length < 70, .tolerance = 2e-5},
                 [](const Tensors& in) { return silu(layer_norm(in[0] * 2.0 + 1.0, in[1], in[2])); });
        list.add({.in = {{3, length}, {length}}, .gradient = length < 70}, [](const Tensors& in) { return rms_norm(in[0], in[1]); });
        list.add({.in = {{5, length}}, .gradient = length < 70}, [](const Tensors& in) { return log_softmax(in[0] * 4.0); });
    }
    list.add({.in = {{4, 6, 10}, {10}, {4, 6, 10}}, .tolerance = 2e-5},
             [](const Tensors& in) { return layer_norm(in[0] + in[2], in[1], {}) + in[2]; });
    list.add({.in = {{2, 7, 33}, {1, 7, 33}}}, [](const Tensors& in) { return softmax(in[0] * 3.0 + in[1]); });
    list.add({.in = {{2, 7, 33}}}, [](const Tensors& in) { return softmax(in[0], 1); });           // along an outer axis
    list.add({.in = {{3, 40, 5}}}, [](const Tensors& in) { return softmax(permute(in[0], {0, 2, 1})); });
    list.add({.in = {{600, 3}}, .gradient = false}, [](const Tensors& in) { return softmax(in[0]); });   // many short rows
    list.add({.in = {{0, 5}}, .gradient = false}, [](const Tensors& in) { return softmax(in[0]); });
    list.add({.in = {{4, 9}}}, [](const Tensors& in) { return softmax(slice(in[0], 1, 2, 8)); });
    list.add({.in = {{40, 12}}}, [](const Tensors& in) {   // two reductions at once, one more after them
        const Tensor range = max(in[0], {1}) - min(in[0], {1}), scaled = in[0] / (range + 1.0);
        return scaled * sum(scaled, {1}) + mean(in[0], {1});
    });
    list.add({.in = {{6, 5}, {6, 1}}}, [](const Tensors& in) { return in[0] * exp(in[1] + sum(in[0], {1})); });
    list.add({.in = {{7, 64}}}, [](const Tensors& in) { return slice(in[0], 1, 0, 32) * gelu(slice(in[0], 1, 32, 64)); });   // GEGLU
}
