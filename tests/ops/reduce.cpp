#include "tests/support/op_cases.h"

using namespace gpu;

OP_CASES(reduce, list) {
    for (const std::int64_t length : {1, 2, 127, 128, 129, 511, 512, 1000}) {
        list.add({.in = {{3, length}}, .gradient = length < 200}, [](const Tensors& in) { return sum(in[0], {1}); });
        list.add({.in = {{length, 3}}, .gradient = length < 200}, [](const Tensors& in) { return max(in[0], {0}); });
    }
    list.add({.in = {{2, 3, 4, 5}}}, [](const Tensors& in) { return mean(in[0], {1, 3}); });
    list.add({.in = {{2, 3, 4, 5}}}, [](const Tensors& in) { return sum(square(in[0] - 0.3), {0, 2}, false) * 2.0 + 1.0; });
    list.add({.in = {{2, 3, 4, 5}}}, [](const Tensors& in) { return mean(in[0]); });
    list.add({.in = {{4, 33}}}, [](const Tensors& in) { return softmax(in[0] * 3.0); });
    list.add({.in = {{4, 33}}}, [](const Tensors& in) { return softmax(in[0], 0); });
    list.add({.in = {{5, 700}}, .gradient = false}, [](const Tensors& in) { return min(in[0], {1}); });
    list.add({.in = {{3, 70000}}, .gradient = false}, [](const Tensors& in) { return sum(in[0] * in[0]); });
    // few long rows: chunks, whichever axis lies innermost
    list.add({.in = {{3, 70000}}, .gradient = false}, [](const Tensors& in) { return sqrt(sum(square(in[0] - 0.1), {1})); });
    list.add({.in = {{5000, 40}}, .gradient = false}, [](const Tensors& in) { return sum(in[0] * 2.0, {0}); });
    list.add({.in = {{70000, 3}, {1, 3}}, .gradient = false}, [](const Tensors& in) { return max(in[0], {0}) * in[1]; });
    list.add({.in = {{2, 600, 70, 3}}, .gradient = false}, [](const Tensors& in) { return mean(in[0], {1, 2}); });
    list.add({.in = {{0, 3}}, .gradient = false}, [](const Tensors& in) { return sum(in[0], {0}); });
    // reduction of a channels-last map, with an epilogue that reads another tensor
    list.add({.in = {{2, 3, 4, 5}, {2, 3, 1, 1}}}, [](const Tensors& in) { return sum(permute(permute(in[0], {0, 2, 3, 1}) * 2.0, {0, 3, 1, 2}), {2, 3}) * in[1]; });
}
