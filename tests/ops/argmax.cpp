#include "tests/support/op_cases.h"

using namespace gpu;

OP_CASES(argmax, list) {
    for (const std::int64_t length : {1, 2, 15, 16, 17, 128, 129, 1000}) {
        list.add({.in = {{3, length}}, .gradient = false}, [](const Tensors& in) { return cast(argmax(in[0], 1), Dtype::F32); });
        list.add({.in = {{length, 3}}, .gradient = false}, [](const Tensors& in) { return cast(argmin(in[0], 0, false), Dtype::F32); });
    }
    list.add({.in = {{100, 40}}, .gradient = false}, [](const Tensors& in) { return cast(argmax(round(in[0] * 2.0), -1), Dtype::F32); });   // the first of equal ones
    list.add({.in = {{2, 40, 90}}, .gradient = false}, [](const Tensors& in) { return cast(argmin(permute(in[0], {0, 2, 1}), 1), Dtype::F32); });
    list.add({.in = {{500}}, .gradient = false}, [](const Tensors& in) { return cast(argmax(cast(in[0] * 99.0, Dtype::I32), 0), Dtype::F32); });
    list.add({.in = {{0, 5}}, .gradient = false}, [](const Tensors& in) { return cast(argmax(in[0], 1), Dtype::F32); });
}
