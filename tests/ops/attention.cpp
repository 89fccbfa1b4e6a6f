#include "gpu/ops/attention.h"

#include "tests/support/op_cases.h"

using namespace gpu;

namespace {

// [B, T, H D] -> [B, H, T, D], the heads of a projection.
Tensor heads(const Tensor& x, std::int64_t count) {
    return permute(reshape(x, {x.size(0), x.size(1), count, x.size(2) / count}), {0, 2, 1, 3});
}

Tensor joined(const Tensor& x) { return reshape(permute(x, {0, 2, 1, 3}), {x.size(0), x.size(2), x.size(1) * x.size(3)}); }

struct Sizes {
    std::int64_t batch, heads, queries, keys, size, value_size;
};

}  // namespace

OP_CASES(attention, list) {
    const auto add = [&](const Sizes& s, const AttentionOptions& options = {}, bool gradient = true, double range = 1) {
        list.add({.in = {{s.batch, s.heads, s.queries, s.size}, {s.batch, s.heads, s.keys, s.size}, {s.batch, s.heads, s.keys, s.value_size}},
                  .gradient = gradient, .low = -range, .high = range},
                 [=](const Tensors& in) { return attention(in[0], in[1], in[2], options); });
    };
    // One query and key, odd sizes, around the tiles (32 queries; 32 keys in the shader, 192 on the host; 16 numbers).
    add({1, 1, 1, 1, 1, 1});
    add({2, 3, 5, 7, 6, 6});
    add({1, 2, 31, 33, 15, 17});
    add({1, 1, 33, 31, 16, 16});
    add({1, 2, 32, 32, 17, 15});
    add({1, 1, 4, 191, 8, 8});
    add({1, 1, 9, 193, 8, 8});
    add({1, 2, 70, 65, 40, 40}, {}, false);
    add({1, 1, 40, 20, 80, 72}, {}, false);
    add({1, 1, 33, 40, 160, 160}, {}, false);
    add({1, 1, 8, 48, 512, 512}, {}, false);
    add({1, 1, 5, 6, 70, 136});
    add({1, 1, 600, 30, 8, 8}, {}, false);
    // Nothing to attend to, nothing asked, nothing inside.
    add({1, 2, 3, 0, 4, 4});
    add({1, 2, 0, 3, 4, 4});
    add({0, 2, 3, 3, 4, 4});
    add({1, 2, 3, 5, 4, 0}, {}, false);
    add({1, 1, 3, 4, 0, 3}, {}, false);
    // Scale, causal, windows.
    add({1, 2, 6, 6, 4, 4}, {.scale = 0.3});
    add({1, 2, 37, 37, 5, 5}, {.causal = true});
    add({1, 1, 9, 40, 5, 5}, {.causal = true});
    add({1, 1, 40, 9, 5, 5}, {.causal = true});
    add({1, 1, 70, 70, 4, 4}, {.window = 5});
    add({1, 1, 70, 70, 4, 4}, {.causal = true, .window = 33});
    add({1, 1, 6, 6, 4, 4}, {.window = 0});
    add({1, 1, 260, 250, 4, 4}, {.window = 20}, false);
    add({1, 1, 30, 9, 4, 4}, {.window = 3});   // the last queries see no key
    // Scores of some hundreds: only differences from the largest may reach the exponential.
    add({1, 1, 20, 40, 8, 8}, {.scale = 1}, false, 9);
    list.add({.in = {{1, 1, 2, 1}, {1, 1, 40, 1}, {1, 1, 40, 3}}, .gradient = false},
             [](const Tensors& in) { return attention(in[0] * 0.0 + 80.0, in[1] * 0.0 + 80.0 + floor(in[1]), in[2], {.scale = 1}); });

    // Heads of projections, the result joined for the next one; one projection for all three; cross attention.
    list.add({.in = {{2, 5, 12}, {2, 7, 12}, {2, 7, 12}}}, [](const Tensors& in) {
        return joined(attention(heads(in[0], 3), heads(in[1], 3), heads(in[2], 3)));
    });
    list.add({.in = {{1, 35, 36}, {12, 4}}}, [](const Tensors& in) {
        const auto part = [&](int i) { return heads(slice(in[0], 2, 12 * i, 12 * i + 12), 2); };
        return matmul(joined(attention(part(0), part(1), part(2))), in[1]);
    });
    list.add({.in = {{1, 2, 4, 5}, {1, 2, 6, 4}, {1, 2, 3, 6}}}, [](const Tensors& in) {   // columns that lie apart
        return attention(transpose(in[0], 2, 3), in[1], transpose(in[2], 2, 3));
    });
    list.add({.in = {{1, 2, 8, 4}, {1, 2, 8, 4}}}, [](const Tensors& in) {
        return attention(flip(in[0], 2), slice(in[1], 2, 1, 8, 2), slice(in[1], 2, 0, 8, 2));
    });
    // Shared keys and values: of groups of heads, of the batch.
    list.add({.in = {{2, 6, 4, 4}, {2, 2, 5, 4}, {2, 2, 5, 3}}}, [](const Tensors& in) { return attention(in[0], in[1], in[2]); });
    list.add({.in = {{1, 4, 35, 4}, {1, 1, 33, 4}, {1, 1, 33, 4}}}, [](const Tensors& in) { return attention(in[0], in[1], in[2]); });
    list.add({.in = {{3, 2, 4, 4}, {1, 2, 5, 4}, {1, 2, 5, 4}}}, [](const Tensors& in) { return attention(in[0], in[1], in[2]); });
    // Biases and masks, broadcast in every way.
    for (const Shape& bias : {Shape{2, 3, 5, 6}, Shape{5, 6}, Shape{1, 1, 1, 6}, Shape{2, 1, 1, 6}, Shape{3, 5, 1}, Shape{1, 3, 1, 1}})
        list.add({.in = {{2, 3, 5, 4}, {2, 3, 6, 4}, {2, 3, 6, 4}, bias}},
                 [](const Tensors& in) { return attention(in[0], in[1], in[2], {}, in[3]); });
    list.add({.in = {{1, 2, 35, 4}, {1, 2, 40, 4}, {1, 2, 40, 4}, {35, 40}}, .gradient = false},
             [](const Tensors& in) { return attention(in[0], in[1], in[2], {.causal = true}, in[3]); });
    const auto masked = [](const Tensors& in) {   // by chance, the same for all heads
        return attention(in[0], in[1], in[2], {}, less(reshape(slice(in[0], 3, 0, 1), {1, 2, -1, 1}), reshape(slice(in[1], 3, 0, 1), {1, 2, 1, -1})));
    };
    list.add({.in = {{1, 2, 5, 4}, {1, 2, 6, 4}, {1, 2, 6, 4}}}, masked);
    list.add({.in = {{1, 2, 33, 4}, {1, 2, 66, 4}, {1, 2, 66, 4}}, .gradient = false}, masked);
    list.add({.in = {{1, 2, 3, 4}, {1, 2, 5, 4}, {1, 2, 5, 4}}}, [](const Tensors& in) {   // query 1 sees nothing
        const Tensor row = equal(arange(3), full({3}, 1));
        return attention(in[0], in[1], in[2], {}, reshape(where(row, full({3}, -1e38), zeros({3})), {3, 1}));
    });
    // What is fused behind it.
    list.add({.in = {{1, 2, 9, 4}, {1, 2, 6, 4}, {1, 2, 6, 4}, {1, 2, 9, 4}, {4}}}, [](const Tensors& in) {
        return silu(attention(in[0], in[1], in[2]) + in[4]) * 0.5 + in[3];
    });
    list.add({.in = {{1, 2, 9, 4}, {1, 2, 6, 4}, {1, 2, 6, 4}, {1, 2, 3, 4}}}, [](const Tensors& in) {   // IP-Adapter: two sources
        return attention(in[0], in[1], in[2]) + attention(in[0], in[3], in[3]) * 0.5;
    });
    // Half precision is stored, F32 computed; the expected value is rounded the same way.
    for (const Dtype half : {Dtype::F16, Dtype::BF16})
        list.add({.in = {{1, 2, 34, 10}, {1, 2, 33, 10}, {1, 2, 33, 9}}, .gradient = false, .tolerance = half == Dtype::F16 ? 1e-3 : 5e-3},
                 [=](const Tensors& in) {
                     return cast(attention(cast(in[0], half), cast(in[1], half), cast(in[2], half)), Dtype::F32);
                 });
}

OP_CASES(attention_lse, list) {
    const auto add = [&](const Shape& q, const Shape& k, const AttentionAttrs& attrs) {
        list.add({.in = {q, k}}, [=](const Tensors& in) { return attention_lse(attrs, in[0], in[1], {}); });
    };
    add({1, 1, 1, 1}, {1, 1, 1, 1}, {0.5});
    add({2, 4, 5, 6}, {2, 2, 7, 6}, {0.5});
    add({1, 2, 33, 17}, {1, 2, 40, 17}, {.scale = 0.2, .after = 0});
    add({1, 1, 10, 3}, {1, 1, 210, 3}, {0.7});
    list.add({.in = {{1, 2, 5, 4}, {1, 2, 6, 4}, {5, 6}}, .gradient = false},
             [](const Tensors& in) { return attention_lse({0.5}, in[0], in[1], reshape(in[2], {1, 1, 5, 6})); });
}

OP_CASES(attention_grad, list) {
    // Against its own composite; the gradients of attention above test it against finite differences.
    const auto add = [&](const Sizes& s, std::int64_t kv_heads, const AttentionAttrs& attrs, const Shape& bias = {}) {
        std::vector<Shape> in{{s.batch, s.heads, s.queries, s.size}, {s.batch, kv_heads, s.keys, s.size}, {s.batch, kv_heads, s.keys, s.value_size},
                              {s.batch, s.heads, s.queries, s.value_size}};
        if (!bias.empty()) in.push_back(bias);
        list.add({.in = in, .gradient = false, .tolerance = 2e-5}, [=](const Tensors& in) {
            const Tensor lse = attention_lse(attrs, in[0], in[1], in.size() > 4 ? in[4] : Tensor());
            const Tensors grads = attention_grad(attrs, in[0], in[1], in[2], in[3], lse, sum(in[3] * in[3], {3}, false) * 0.1,
                                                 in.size() > 4 ? in[4] : Tensor());
            return concat({reshape(grads[0], {-1}), reshape(grads[1], {-1}), reshape(grads[2], {-1})}, 0);
        });
    };
    add({1, 1, 1, 1, 1, 1}, 1, {1});
    add({2, 4, 33, 31, 17, 15}, 2, {0.3});
    add({1, 1, 70, 390, 40, 40}, 1, {0.2});
    add({1, 2, 64, 64, 80, 70}, 1, {0.1});
    add({1, 1, 20, 40, 160, 136}, 1, {0.1});
    add({1, 2, 40, 70, 8, 8}, 2, {.scale = 0.3, .after = 0});
    add({1, 2, 70, 70, 8, 8}, 2, {.scale = 0.3, .before = 9, .after = 9});
    add({2, 2, 34, 35, 8, 8}, 2, {0.3}, {2, 1, 34, 35});
    add({2, 2, 34, 35, 8, 8}, 2, {0.3}, {1, 2, 1, 35});
}
