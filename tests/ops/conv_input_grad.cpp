#include "gpu/ops/conv.h"
#include "tests/support/op_cases.h"

using namespace gpu;

// Transposed convolutions; the gradients of convolution are compared in tests/ops/convolution.cpp.
OP_CASES(conv_input_grad, list) {
    for (const std::int64_t c : {1, 3, 4, 17})
        list.add({.in = {{1, c, 4, 5}, {c, c + 1, 3, 3}}}, [](const Tensors& in) { return conv_transpose2d(in[0], in[1], {.pad = 1}); });
    list.add({.in = {{2, 4, 3, 5}, {4, 3, 4, 4}}}, [](const Tensors& in) { return conv_transpose2d(in[0], in[1], {.stride = 2, .pad = 1}); });
    list.add({.in = {{1, 4, 3, 5}, {4, 3, 3, 2}}}, [](const Tensors& in) {
        return conv_transpose2d(in[0], in[1], {.stride = {3, 2}, .pad = {1, 0}, .pad_end = {0, 1}, .output_pad = {2, 1}, .dilation = {1, 2}});
    });
    list.add({.in = {{1, 4, 3, 3}, {4, 3, 3, 3}}}, [](const Tensors& in) {   // more output padding than the stride leaves over
        return conv_transpose2d(in[0], in[1], {.stride = 1, .pad = 1, .output_pad = 2, .dilation = 3});
    });
    list.add({.in = {{1, 6, 4, 3}, {6, 2, 3, 3}}}, [](const Tensors& in) { return conv_transpose2d(in[0], in[1], {.stride = 2, .pad = 1, .groups = 3}); });
    list.add({.in = {{1, 5, 4, 3}, {5, 1, 3, 3}}}, [](const Tensors& in) { return conv_transpose2d(in[0], in[1], {.groups = 5}); });
    list.add({.in = {{2, 3, 5}, {3, 4, 4}}}, [](const Tensors& in) { return conv_transpose1d(in[0], in[1], {.stride = 2, .pad = 1}); });
    list.add({.in = {{1, 2, 2, 3, 3}, {2, 3, 3, 3, 3}}}, [](const Tensors& in) {
        return conv_transpose3d(in[0], in[1], {.stride = {1, 2, 2}, .pad = 1, .output_pad = {0, 1, 1}});
    });
    list.add({.in = {{1, 4, 3, 3}, {4, 4, 3, 3}, {4}}}, [](const Tensors& in) {
        return relu(conv_transpose2d(in[0], in[1], {.stride = 2, .pad = 1}) + reshape(in[2], {1, 4, 1, 1}));
    });
    list.add({.in = {{0, 3, 5, 5}, {3, 4, 3, 3}}}, [](const Tensors& in) { return conv_transpose2d(in[0], in[1]); });
    list.add({.in = {{1, 0, 5, 5}, {0, 4, 3, 3}}}, [](const Tensors& in) { return conv_transpose2d(in[0], in[1]) + 1.0; });
    // rows and columns that no window reaches have no gradient
    list.add({.in = {{1, 3, 2, 2}, {3, 2, 3, 3}}}, [](const Tensors& in) {
        return conv_input_grad(in[0], in[1], {{4, 4}, {0, 0}, {0, 0}, {1, 1}, 1}, {10, 9});
    });
    list.add({.in = {{1, 48, 33, 31}, {48, 32, 3, 3}}, .gradient = false}, [](const Tensors& in) { return conv_transpose2d(in[0], in[1], {.pad = 1}); });
    list.add({.in = {{2, 32, 8, 8}, {32, 32, 3, 3}}, .gradient = false}, [](const Tensors& in) { return conv_transpose2d(in[0], in[1], {.stride = 2, .pad = 1}); });
}
