#include "tests/support/op_cases.h"

using namespace gpu;

namespace {

Tensor packed(BlockFormat format, const Shape& shape, std::uint64_t seed, Dtype dtype = Dtype::F32) {
    const auto values = tests::random_floats(static_cast<std::size_t>(element_count(shape)), seed);
    std::vector<std::byte> blocks;
    if (can_pack(format)) {
        blocks = pack(format, values);
    } else {   // any bytes are weights, but for scales that are no numbers: those keep a small exponent
        blocks.resize(bytes_of(format, values.size()));
        for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i] = static_cast<std::byte>(static_cast<int>(values[i % values.size()] * 1000) & 0x2f);
    }
    const auto owner = std::make_shared<std::vector<std::byte>>(std::move(blocks));
    return dequantize(leaf({{static_cast<std::int64_t>(owner->size())}, Dtype::U8}, *owner, owner), format, shape, dtype);
}

// F32 as far as the graph is concerned, 16 bits in memory.
Tensor narrow(Dtype dtype, const Shape& shape, std::uint64_t seed) {
    const auto values = tests::random_floats(static_cast<std::size_t>(element_count(shape)), seed);
    const auto bits = std::make_shared<std::vector<std::uint16_t>>();
    for (const float value : values) bits->push_back(dtype == Dtype::F16 ? float_to_f16(value) : float_to_bf16(value));
    return cast(leaf({shape, dtype}, std::as_bytes(std::span(*bits)), bits), Dtype::F32);
}

constexpr BlockFormat formats[] = {BlockFormat::F8_E4M3, BlockFormat::F8_E5M2, BlockFormat::Q8_0, BlockFormat::Q4_0, BlockFormat::Q4_1,
                                   BlockFormat::Q5_0, BlockFormat::Q5_1, BlockFormat::Q4_K, BlockFormat::Q5_K, BlockFormat::Q6_K};

}  // namespace

OP_CASES(dequantize, list) {
    for (const BlockFormat format : formats) {
        list.add({.in = {{3, 256}}, .gradient = false}, [=](const Tensors& in) { return in[0] + packed(format, {3, 256}, 1); });
        // a linear layer's weight: rows of blocks, transposed
        list.add({.in = {{5, 256}}, .gradient = format == BlockFormat::Q4_K}, [=](const Tensors& in) {
            return matmul(in[0], transpose(packed(format, {7, 256}, 2), 0, 1));
        });
    }
    for (const BlockFormat format : {BlockFormat::Q8_0, BlockFormat::Q4_K}) {
        list.add({.in = {{5, 7}}, .gradient = false}, [=](const Tensors& in) { return matmul(in[0], packed(format, {7, 256}, 3)); });
        list.add({.in = {{2, 3, 256}, {9}}}, [=](const Tensors& in) { return silu(matmul(in[0], transpose(packed(format, {9, 256}, 4), 0, 1)) + in[1]); });
        // a third of a joined weight, whose first element starts a block
        list.add({.in = {{4, 256}}, .gradient = false}, [=](const Tensors& in) {
            return matmul(in[0], transpose(slice(packed(format, {12, 256}, 5), 0, 4, 8), 0, 1));
        });
        list.add({.in = {{4, 100}}, .gradient = false}, [=](const Tensors& in) {   // and one that does not
            return matmul(in[0], transpose(slice(packed(format, {12, 256}, 5), 1, 70, 170), 0, 1));
        });
        list.add({.in = {{2, 8, 256}, {1}}, .gradient = false}, [=](const Tensors& in) {   // one matrix each
            return matmul(in[0], transpose(packed(format, {2, 5, 256}, 6), 1, 2)) * in[1];
        });
        list.add({.in = {{2, 32, 6, 5}}, .gradient = false}, [=](const Tensors& in) { return conv2d(in[0], packed(format, {8, 32, 3, 3}, 7), {.pad = 1}); });
        list.add({.in = {{1, 32, 6, 5}}, .gradient = false}, [=](const Tensors& in) { return relu(conv2d(in[0], packed(format, {16, 16, 1, 1}, 8), {.groups = 2})); });
        list.add({.in = {{1, 64, 6, 5}}, .gradient = false}, [=](const Tensors& in) { return conv2d(in[0], packed(format, {5, 64, 4, 4}, 9), {.stride = 2}); });
        list.add({.in = {{1}}, .gradient = false}, [=](const Tensors& in) { return packed(format, {3, 256}, 10) * in[0]; });
        list.add({.in = {{300, 512}}, .gradient = false}, [=](const Tensors& in) { return matmul(in[0], transpose(packed(format, {70, 512}, 11), 0, 1)); });
        list.add({.in = {{3, 256}}, .gradient = false}, [=](const Tensors& in) { return sum(flip(packed(format, {3, 256}, 12), 0) * in[0], {1}); });
    }
    list.add({.in = {{3, 256}}, .gradient = false}, [=](const Tensors& in) { return concat({in[0], packed(BlockFormat::Q8_0, {3, 256}, 13)}, 0); });
    list.add({.in = {{2, 3}}, .gradient = false}, [=](const Tensors& in) {   // rows of a table, looked up
        const std::int32_t ids[] = {4, 0};
        return embedding(packed(BlockFormat::Q4_K, {5, 256}, 14), tensor_i32(ids, {2})) * sum(in[0]);
    });
    for (const Dtype dtype : {Dtype::F16, Dtype::BF16}) {
        list.add({.in = {{5, 7}, {5}}}, [=](const Tensors& in) { return relu(matmul(transpose(in[0], 0, 1), narrow(dtype, {5, 9}, 1)) + sum(in[1])); });
        list.add({.in = {{2, 6, 7}}}, [=](const Tensors& in) { return matmul(in[0], transpose(slice(narrow(dtype, {9, 7}, 2), 0, 1, 4), 0, 1)); });
        list.add({.in = {{1, 3, 6, 5}}}, [=](const Tensors& in) {
            return relu(conv2d(in[0], narrow(dtype, {4, 3, 3, 3}, 3), {.pad = 1}) + reshape(narrow(dtype, {4}, 4), {1, 4, 1, 1}));
        });
        list.add({.in = {{3, 33}}}, [=](const Tensors& in) { return silu(in[0] * narrow(dtype, {33}, 5) + narrow(dtype, {3, 33}, 6)); });
        list.add({.in = {{3}}, .gradient = false}, [=](const Tensors& in) { return sum(narrow(dtype, {3, 40}, 7), {1}, false) * in[0]; });
        list.add({.in = {{1, 2, 4, 4}}, .gradient = false}, [=](const Tensors& in) { return concat({in[0], narrow(dtype, {1, 3, 4, 4}, 8)}, 1); });
    }
}
