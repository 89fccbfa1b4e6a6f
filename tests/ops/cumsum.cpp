#include "tests/support/op_cases.h"

using namespace gpu;

OP_CASES(cumsum, list) {
    for (const std::int64_t length : {1, 2, 511, 512, 513, 1000})
        for (const bool exclusive : {false, true})
            for (const bool reverse : {false, true})
                list.add({.in = {{2, length}}, .gradient = length == 2 || (length == 513 && exclusive && reverse)},
                         [=](const Tensors& in) { return cumsum(in[0], 1, {.exclusive = exclusive, .reverse = reverse}); });
    list.add({.in = {{7, 3, 4}}}, [](const Tensors& in) { return cumsum(in[0] * 2.0, 0); });
    list.add({.in = {{7, 3, 4}}}, [](const Tensors& in) { return exp(cumsum(permute(in[0], {2, 0, 1}), 1, {.exclusive = true})); });
    list.add({.in = {{140000}}, .gradient = false}, [](const Tensors& in) { return cumsum(in[0], 0); });   // two levels of blocks
    list.add({.in = {{0, 3}}, .gradient = false}, [](const Tensors& in) { return cumsum(in[0], 0); });
    list.add({.in = {{600}}, .gradient = false}, [](const Tensors& in) { return cast(cumsum(cast(in[0] * 99.0, Dtype::I32), 0), Dtype::F32); });
}
