#include "tests/support/op_cases.h"

using namespace gpu;

OP_CASES(group_norm, list) {
    list.add({.in = {{2, 4, 3, 5}, {4}, {4}}, .tolerance = 2e-5}, [](const Tensors& in) { return group_norm(in[0], 2, in[1], in[2]); });
    list.add({.in = {{1, 8, 17, 16}}, .gradient = false}, [](const Tensors& in) { return silu(group_norm(in[0], 4, {}, {})); });
    list.add({.in = {{3, 6}}, .tolerance = 2e-5}, [](const Tensors& in) { return group_norm(in[0], 3, {}, {}); });
    list.add({.in = {{2, 3, 7}}, .tolerance = 2e-5}, [](const Tensors& in) { return group_norm(in[0], 1, {}, {}); });
}
