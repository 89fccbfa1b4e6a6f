#include "tests/support/op_cases.h"

using namespace gpu;

OP_CASES(convolution, list) {
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
    // few results of long sums
    list.add({.in = {{1, 45, 4, 5}, {9, 45, 3, 3}, {9}}, .gradient = false}, [](const Tensors& in) {
        return relu(conv2d(in[0], in[1], {.pad = 1}) + reshape(in[2], {1, 9, 1, 1}));
    });
    list.add({.in = {{2, 20, 3, 4, 3}, {5, 20, 3, 3, 3}}, .gradient = false}, [](const Tensors& in) { return conv3d(in[0], in[1], {.pad = 1}); });
    // a stride, a dilation and a padding for each axis and side
    list.add({.in = {{1, 3, 7, 8}, {4, 3, 3, 3}}}, [](const Tensors& in) { return conv2d(in[0], in[1], {.stride = 2, .pad = 0, .pad_end = 1}); });
    list.add({.in = {{2, 5, 6, 9}, {3, 5, 2, 3}}}, [](const Tensors& in) {
        return conv2d(in[0], in[1], {.stride = {1, 2}, .pad = {2, 0}, .pad_end = {0, 3}, .dilation = {2, 1}});
    });
    list.add({.in = {{1, 6, 5, 5}, {9, 2, 3, 2}}}, [](const Tensors& in) { return conv2d(in[0], in[1], {.stride = {2, 1}, .pad = 1, .groups = 3}); });
    list.add({.in = {{1, 5, 5, 5}, {10, 1, 3, 3}}}, [](const Tensors& in) { return conv2d(in[0], in[1], {.pad = 1, .groups = 5}); });
    list.add({.in = {{1, 2, 5, 6}, {3, 2, 3, 3}}}, [](const Tensors& in) {
        return conv2d(in[0], in[1], {.pad = {1, 2}, .pad_end = {2, 0}, .mode = PadMode::Replicate});
    });
    list.add({.in = {{1, 2, 5, 6}, {3, 2, 3, 3}}}, [](const Tensors& in) { return conv2d(in[0], in[1], {.stride = 2, .pad = 2, .mode = PadMode::Reflect}); });
    // one and three spatial axes
    list.add({.in = {{2, 3, 11}, {5, 3, 3}}}, [](const Tensors& in) { return conv1d(in[0], in[1], {.pad = 1}); });
    list.add({.in = {{1, 4, 12}, {4, 2, 4}}}, [](const Tensors& in) { return conv1d(in[0], in[1], {.stride = 3, .pad = 3, .pad_end = 0, .dilation = 2, .groups = 2}); });
    list.add({.in = {{1, 2, 4, 5, 3}, {3, 2, 3, 3, 3}}}, [](const Tensors& in) { return conv3d(in[0], in[1], {.pad = 1}); });
    list.add({.in = {{2, 4, 3, 4, 5}, {4, 2, 3, 1, 2}}}, [](const Tensors& in) {   // causal in time
        return conv3d(in[0], in[1], {.stride = {1, 2, 1}, .pad = {2, 0, 0}, .pad_end = {0, 0, 1}, .groups = 2});
    });
    list.add({.in = {{1, 2, 3, 4, 4}, {3, 2, 3, 3, 3}}}, [](const Tensors& in) {
        return conv3d(in[0], in[1], {.pad = {2, 1, 1}, .pad_end = {0, 1, 1}, .mode = PadMode::Replicate});
    });
    // at the borders of the shaders' tiles, empty batches, no channels, maps that do not lie channels last
    for (const std::int64_t c : {15, 16, 64, 65}) list.add({.in = {{1, 3, 2, 4}, {c, 3, 1, 1}}, .gradient = c < 20}, [](const Tensors& in) { return conv2d(in[0], in[1]); });
    list.add({.in = {{0, 3, 5, 5}, {4, 3, 3, 3}}}, [](const Tensors& in) { return conv2d(in[0], in[1], {.pad = 1}); });
    list.add({.in = {{2, 0, 5, 5}, {4, 0, 3, 3}}}, [](const Tensors& in) { return conv2d(in[0], in[1], {.pad = 1}) + 1.0; });
    list.add({.in = {{5, 6, 3, 2}, {4, 3, 3, 3}}}, [](const Tensors& in) { return conv2d(permute(in[0], {3, 2, 1, 0}), in[1], {.pad = 1}); });
    list.add({.in = {{1, 7, 6, 6}, {4, 3, 3, 3}}}, [](const Tensors& in) { return conv2d(slice(in[0], 1, 2, 5), flip(in[1], 3), {.pad = 1}); });
    // large enough for Winograd's kernels, and for the blocked ones, with what follows
    list.add({.in = {{1, 32, 33, 31}, {48, 32, 3, 3}, {48}, {1, 48, 33, 31}}, .gradient = false}, [](const Tensors& in) {
        return relu(conv2d(in[0], in[1], {.pad = 1}) + reshape(in[2], {1, 48, 1, 1}) + in[3]);
    });
    list.add({.in = {{1, 32, 4, 4}, {32, 32, 3, 3}, {1, 32, 4, 4}}, .gradient = false}, [](const Tensors& in) {
        return tanh(relu(conv2d(in[0], in[1], {.pad = 1}) * in[2]));
    });
}
