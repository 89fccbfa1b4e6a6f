#include "tests/support/op_cases.h"

using namespace gpu;

OP_CASES(arrange, list) {
    list.add({.in = {{3, 4}, {3, 4}}}, [](const Tensors& in) { return stack({in[0], in[1] * 2.0}, 1); });
    list.add({.in = {{3, 4}, {3, 4}}}, [](const Tensors& in) { return stack({in[0], in[1]}, -1); });
    list.add({.in = {{7, 3}}}, [](const Tensors& in) { const Tensors parts = split(in[0], {2, 0, 5}, 0); return concat({parts[2], parts[0]}, 0); });
    list.add({.in = {{2, 7}}}, [](const Tensors& in) { const Tensors parts = chunk(in[0], 3, 1); return parts[0] * parts[1] + parts[2]; });
    list.add({.in = {{2, 3}}}, [](const Tensors& in) { return repeat(in[0], {3, 2}) * 2.0; });
    list.add({.in = {{2, 3}}}, [](const Tensors& in) { return repeat_each(in[0], 4, 0) + repeat(in[0], {4, 1}); });
    for (const std::int64_t shift : {0, 1, -2, 7, -9})
        list.add({.in = {{2, 7}}}, [=](const Tensors& in) { return roll(in[0], shift, 1) * 2.0; });
    for (const DepthOrder order : {DepthOrder::ChannelsFirst, DepthOrder::FactorsFirst}) {
        list.add({.in = {{2, 6, 5}}}, [=](const Tensors& in) { return depth_to_space(in[0], {3}, order) * 2.0; });
        list.add({.in = {{1, 12, 3, 2}}}, [=](const Tensors& in) { return depth_to_space(in[0], {2, 3}, order) * 2.0; });
        list.add({.in = {{1, 12, 2, 1, 3}}}, [=](const Tensors& in) { return depth_to_space(in[0], {1, 2, 3}, order) * 2.0; });
        list.add({.in = {{1, 2, 4, 6}}}, [=](const Tensors& in) { return space_to_depth(in[0], {2, 3}, order) * 2.0; });
        list.add({.in = {{1, 2, 2, 4, 6}}}, [=](const Tensors& in) { return depth_to_space(space_to_depth(in[0], {2, 2, 3}, order), {2, 2, 3}, order); });
    }
    // between convolutions, where maps lie channels last
    list.add({.in = {{1, 4, 4, 4}, {8, 4, 3, 3}, {4, 2, 3, 3}}}, [](const Tensors& in) { return conv2d(pixel_shuffle(conv2d(in[0], in[1], {.pad = 1}), 2), in[2], {.pad = 1}); });
    list.add({.in = {{1, 1, 4, 4}, {3, 4, 3, 3}}}, [](const Tensors& in) { return conv2d(pixel_unshuffle(in[0], 2), in[1], {.pad = 1}); });
    list.add({.in = {{2, 3, 4, 6}}}, [](const Tensors& in) { return softmax(window_partition(in[0], {2, 3}), 2); });
    list.add({.in = {{2, 3, 4, 6}}}, [](const Tensors& in) { return window_merge(softmax(window_partition(in[0], {2, 3}), 1), {2, 3}, {4, 6}); });
    list.add({.in = {{1, 2, 2, 4, 6}}}, [](const Tensors& in) { return window_merge(window_partition(in[0], {2, 2, 3}) * 2.0, {2, 2, 3}, {2, 4, 6}); });
    list.add({.in = {{2, 3, 5, 6}}}, [](const Tensors& in) { return unfold(in[0], {.kernel_height = 3, .kernel_width = 2, .stride = 2, .pad = 1}); });
    list.add({.in = {{1, 2, 7, 7}}}, [](const Tensors& in) { return unfold(in[0], {.dilation = 2}) * 2.0; });
    // a convolution by its definition
    list.add({.in = {{1, 2, 5, 6}, {4, 2, 3, 3}}}, [](const Tensors& in) {
        return matmul(reshape(in[1], {4, 18}), unfold(in[0], {.pad = 1})) - reshape(conv2d(in[0], in[1] * 0.5, {.pad = 1}), {1, 4, 30});
    });
    for (const std::int64_t diagonal : {-1, 0, 2})
        list.add({.in = {{2, 3, 5}}}, [=](const Tensors& in) { return lower_triangle(in[0], diagonal) + upper_triangle(in[0] * 3.0, diagonal); });
    list.add({.in = {{4, 2, 4}}}, [](const Tensors& in) { return diagonal(in[0], 0, 2) * 2.0; });
    list.add({.in = {{1, 1}}}, [](const Tensors& in) { return diagonal(in[0]); });
}
