#include "tests/support/op_cases.h"

using namespace gpu;

OP_CASES(movement, list) {
    list.add({.in = {{2, 3, 4}}}, [](const Tensors& in) { return permute(in[0], {2, 0, 1}) * 2.0; });
    list.add({.in = {{2, 3, 4}}}, [](const Tensors& in) { return reshape(permute(in[0], {2, 0, 1}), {4, 6}) + 1.0; });
    list.add({.in = {{2, 3, 4}}}, [](const Tensors& in) { return reshape(in[0], {6, -1}); });
    list.add({.in = {{7, 9}}}, [](const Tensors& in) { return slice(in[0], 1, 1, 8, 3) * 2.0; });
    list.add({.in = {{7, 9}}}, [](const Tensors& in) { return slice(slice(in[0], 0, 2, -1), 1, 3, 6); });
    list.add({.in = {{7, 9}}}, [](const Tensors& in) { return flip(in[0], 1) + in[0]; });
    list.add({.in = {{7, 9}}}, [](const Tensors& in) { return flip(slice(in[0], 0, 1, 5), 0); });
    list.add({.in = {{3, 4}}}, [](const Tensors& in) { return pad(in[0], {1, 0}, {2, 3}); });
    list.add({.in = {{3, 4}}}, [](const Tensors& in) { return pad(in[0], {1, 2}, {0, 1}, {2, 1}) * 3.0; });
    list.add({.in = {{2, 3, 4, 5, 6}}}, [](const Tensors& in) { return pad(in[0], {1, 1, 1, 1, 1}, {1, 0, 1, 0, 1}); });
    list.add({.in = {{1, 4}, {3, 1}}}, [](const Tensors& in) { return broadcast_to(in[0], {3, 4}) * in[1]; });
    list.add({.in = {{1, 2, 5, 6}}}, [](const Tensors& in) { return pad2d(in[0], 2, 1, 3, 0, PadMode::Replicate); });
    list.add({.in = {{1, 2, 5, 6}}}, [](const Tensors& in) { return pad2d(in[0], 2, 1, 3, 0, PadMode::Reflect); });
    list.add({.in = {{1, 2, 5, 6}}}, [](const Tensors& in) { return pad2d(in[0], 2, 1, 3, 0, PadMode::Zero); });
    list.add({.in = {{2, 3}, {2, 4}, {2, 1}}}, [](const Tensors& in) { return concat({in[0], in[1] * 2.0, in[2]}, 1); });
    list.add({.in = {{2, 3, 4}, {5, 3, 4}}}, [](const Tensors& in) { return concat({permute(in[0], {0, 2, 1}), permute(in[1], {0, 2, 1})}, 0); });
    list.add({.in = {{1, 3, 4, 5}}}, [](const Tensors& in) { return upsample_nearest(in[0], 2); });
    list.add({.in = {{3, 1}}}, [](const Tensors& in) { return squeeze(unsqueeze(in[0], {0, 3}), {0}); });
}
