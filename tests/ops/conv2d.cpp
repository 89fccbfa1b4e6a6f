#include "tests/support/op_cases.h"

using namespace gpu;

OP_CASES(conv2d, list) {
    for (const std::int64_t c : {1, 3, 4, 5, 17})
        list.add({.in = {{1, c, 5, 6}, {c + 1, c, 3, 3}}}, [](const Tensors& in) { return conv2d(in[0], in[1], {.pad = 1}); });
    list.add({.in = {{2, 3, 9, 7}, {4, 3, 3, 3}}}, [](const Tensors& in) { return conv2d(in[0], in[1], {.stride = 2, .pad = 1}); });
    list.add({.in = {{2, 3, 9, 7}, {4, 3, 3, 3}}}, [](const Tensors& in) { return conv2d(in[0], in[1], {.pad = 2, .dilation = 2}); });
    list.add({.in = {{2, 4, 5, 5}, {6, 2, 3, 3}}}, [](const Tensors& in) { return conv2d(in[0], in[1], {.pad = 1, .groups = 2}); });
    list.add({.in = {{1, 4, 5, 5}, {4, 1, 3, 3}}}, [](const Tensors& in) { return conv2d(in[0], in[1], {.pad = 1, .groups = 4}); });
    list.add({.in = {{1, 3, 4, 4}, {5, 3, 1, 1}}}, [](const Tensors& in) { return conv2d(in[0], in[1]); });
    list.add({.in = {{1, 2, 8, 4}, {3, 2, 5, 1}}}, [](const Tensors& in) { return conv2d(in[0], in[1]); });
    list.add({.in = {{1, 3, 1, 1}, {2, 3, 3, 3}}}, [](const Tensors& in) { return conv2d(in[0], in[1], {.pad = 1}); });
    list.add({.in = {{1, 4, 6, 6}, {8, 4, 3, 3}, {8}}}, [](const Tensors& in) { return relu(conv2d(in[0], in[1], {.pad = 1}) + reshape(in[2], {1, 8, 1, 1})); });
    // the residual block of a tiny autoencoder, and what an epilogue may not swallow
    list.add({.in = {{1, 4, 6, 6}, {4, 4, 3, 3}, {4}}}, [](const Tensors& in) {
        const Tensor bias = reshape(in[2], {1, 4, 1, 1});
        const Tensor h = relu(conv2d(in[0], in[1], {.pad = 1}) + bias);
        return relu(conv2d(h, in[1], {.pad = 1}) + bias + in[0]);
    });
    list.add({.in = {{1, 4, 6, 6}, {4, 4, 3, 3}}}, [](const Tensors& in) { const Tensor h = conv2d(in[0], in[1], {.pad = 1}); return silu(h) + sum(h); });
    list.add({.in = {{1, 4, 6, 6}, {4, 4, 3, 3}}}, [](const Tensors& in) { return upsample_nearest(conv2d(upsample_nearest(in[0], 2), in[1], {.pad = 1}), 2); });
    list.add({.in = {{2, 16, 33, 31}, {32, 16, 3, 3}}, .gradient = false}, [](const Tensors& in) { return conv2d(in[0], in[1], {.pad = 1}); });
}
