#include "tests/support/op_cases.h"

using namespace gpu;

OP_CASES(sort, list) {
    for (const std::int64_t length : {1, 2, 5, 63, 64, 65, 127, 128, 129, 200, 321})
        for (const bool descending : {false, true})
            list.add({.in = {{3, length}}, .gradient = length < 70, .low = -20, .high = 20}, [=](const Tensors& in) { return sort(in[0], -1, descending); });
    list.add({.in = {{70, 5}}, .gradient = false}, [](const Tensors& in) { return cast(argsort(in[0], 0), Dtype::F32); });
    list.add({.in = {{2, 70, 3}}, .gradient = false}, [](const Tensors& in) { return cast(argsort(round(in[0] * 3.0), 1), Dtype::F32); });   // many equal
    list.add({.in = {{2, 70, 3}}, .gradient = false}, [](const Tensors& in) { return cast(argsort(round(in[0] * 3.0), 1, true), Dtype::F32); });
    list.add({.in = {{400}}, .gradient = false}, [](const Tensors& in) { return cast(argsort(cast(in[0] * 99.0, Dtype::I32), 0), Dtype::F32); });
    list.add({.in = {{300}}, .gradient = false}, [](const Tensors& in) { return cast(argsort(cast(in[0], Dtype::F16), 0), Dtype::F32); });
    list.add({.in = {{9, 4}}, .gradient = false}, [](const Tensors& in) { return cast(argsort(less(in[0], full_like(in[0], 0)), 0), Dtype::F32); });   // Bool
    list.add({.in = {{0, 4}}, .gradient = false}, [](const Tensors& in) { return sort(in[0], 0); });
    list.add({.in = {{4, 0}}, .gradient = false}, [](const Tensors& in) { return sort(in[0], 0); });
    list.add({.in = {{6, 9}}, .low = -20, .high = 20}, [](const Tensors& in) { return sort(permute(in[0], {1, 0}), 1) * 2.0; });
    for (const std::int64_t k : {1, 3, 63, 64, 65, 100, 130})
        list.add({.in = {{2, 333}}, .gradient = k == 3, .low = -50, .high = 50}, [=](const Tensors& in) { return topk(in[0], k).values; });
    for (const std::int64_t k : {0, 1, 20, 40})
        list.add({.in = {{40, 3}}, .gradient = false}, [=](const Tensors& in) { return cast(topk(in[0], k, 0, false).ids, Dtype::F32); });
}
