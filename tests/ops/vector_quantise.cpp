#include "tests/support/op_cases.h"

using namespace gpu;

OP_CASES(vector_quantise, list) {
    list.add({.in = {{2, 3, 5}, {9, 5}}, .gradient = false}, [](const Tensors& in) { return vector_quantise(in[0], in[1]).values * 2.0; });
    list.add({.in = {{70, 4}, {129, 4}}, .gradient = false}, [](const Tensors& in) { return cast(vector_quantise(in[0], in[1]).ids, Dtype::F32); });
    list.add({.in = {{4, 3}, {1, 3}}}, [](const Tensors& in) { return square(in[0] - vector_quantise(in[0], in[1]).rows); });   // the codebook learns
}
