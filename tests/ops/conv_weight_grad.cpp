#include "gpu/ops/conv.h"
#include "tests/support/op_cases.h"

using namespace gpu;

OP_CASES(conv_weight_grad, list) {
    const ConvGeometry plain{{1, 1}, {1, 1}, {1, 1}, {1, 1}, 1};
    for (const std::int64_t c : {1, 3, 4, 17})
        list.add({.in = {{1, c, 5, 6}, {1, c + 1, 5, 6}}}, [=](const Tensors& in) { return conv_weight_grad(in[0], in[1], plain, {3, 3}); });
    list.add({.in = {{2, 3, 9, 8}, {2, 4, 5, 4}}}, [](const Tensors& in) {
        return conv_weight_grad(in[0], in[1], {{2, 2}, {1, 0}, {1, 1}, {1, 1}, 1}, {3, 3});
    });
    list.add({.in = {{2, 4, 9, 8}, {2, 6, 5, 8}}}, [](const Tensors& in) {
        return conv_weight_grad(in[0], in[1], {{1, 1}, {0, 1}, {0, 1}, {2, 1}, 2}, {3, 3});
    });
    list.add({.in = {{1, 5, 5, 5}, {1, 5, 5, 5}}}, [](const Tensors& in) { return conv_weight_grad(in[0], in[1], {{1, 1}, {1, 1}, {1, 1}, {1, 1}, 5}, {3, 3}); });
    list.add({.in = {{3, 2, 11}, {3, 3, 11}}}, [](const Tensors& in) { return conv_weight_grad(in[0], in[1], {{1}, {1}, {1}, {1}, 1}, {3}); });
    list.add({.in = {{1, 2, 4, 5, 3}, {1, 3, 4, 5, 3}}}, [](const Tensors& in) {
        return conv_weight_grad(in[0], in[1], {{1, 1, 1}, {2, 1, 1}, {0, 1, 1}, {1, 1, 1}, 1}, {3, 3, 3});
    });
    list.add({.in = {{0, 3, 5, 5}, {0, 4, 5, 5}}}, [=](const Tensors& in) { return conv_weight_grad(in[0], in[1], plain, {3, 3}); });
    list.add({.in = {{3, 33, 4, 4}, {3, 31, 4, 4}}, .gradient = false}, [](const Tensors& in) {
        return conv_weight_grad(in[0], in[1], {{1, 1}, {0, 0}, {0, 0}, {1, 1}, 1}, {1, 1});
    });
    list.add({.in = {{1, 32, 33, 31}, {1, 48, 33, 31}}, .gradient = false}, [=](const Tensors& in) { return conv_weight_grad(in[0], in[1], plain, {3, 3}); });
}
