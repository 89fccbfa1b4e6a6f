#include <algorithm>
#include <bit>
#include <cstring>

#include "gpu/run/host/attention.h"
#include "gpu/run/host/interleave.h"

namespace gpu {
namespace {

const float* row_of(const HostOperand& x, std::int64_t b, std::int64_t h, std::int64_t row) {
    return reinterpret_cast<const float*>(x.data) + b * x.strides[0] + h * x.strides[1] + row * x.strides[2];
}

}  // namespace

AttentionProblem::AttentionProblem(const HostCall& call, bool has_values, bool has_bias, std::size_t bias_at)
    : scale(static_cast<float>(std::bit_cast<double>(call.kernel.params[0]))), before(call.kernel.params[1]),
      after(call.kernel.params[2]), q(call.in[0]), k(call.in[1]) {
    batch = q.shape[0], heads = q.shape[1], queries = q.shape[2], size = q.shape[3];
    kv_heads = k.shape[1], keys = k.shape[2];
    if (has_values) {
        v = call.in[2];
        value_size = v.shape[3];
    }
    if (has_bias) {
        bias = call.in[bias_at];
        for (std::size_t axis = 0; axis < 4; ++axis)
            if (bias.shape[axis] == 1) bias.strides[axis] = 0;
    }
}

std::pair<std::int64_t, std::int64_t> AttentionProblem::visible(std::int64_t first_query, std::int64_t last_query) const {
    const std::int64_t begin = before < 0 ? 0 : std::clamp<std::int64_t>(first_query - before, 0, keys);
    const std::int64_t end = after < 0 ? keys : std::clamp<std::int64_t>(last_query + after, begin, keys);
    return {begin, end};
}

void AttentionProblem::pack_rows(const HostOperand& x, std::int64_t b, std::int64_t h, std::int64_t first, std::int64_t rows,
                                 float factor, float* to, std::int64_t row) {
    const std::int64_t size = x.shape[3], step = x.strides[3];
    for (std::int64_t r = 0; r < rows; ++r, to += row) {
        const float* from = row_of(x, b, h, first + r);
        if (step == 1 && factor == 1) {
            std::memcpy(to, from, static_cast<std::size_t>(size) * sizeof(float));
        } else {
            for (std::int64_t i = 0; i < size; ++i) to[i] = from[i * step] * factor;
        }
        std::fill(to + size, to + row, 0.0f);
    }
}

void AttentionProblem::pack_columns(const HostOperand& x, std::int64_t b, std::int64_t h, std::int64_t first, std::int64_t rows, float* to) {
    const std::int64_t size = x.shape[3];
    const float* from = row_of(x, b, h, first);
    if (x.strides[3] == 1) {
        interleave(from, x.strides[2], rows, size, to, attention_tile_keys, false);
    } else {
        for (std::int64_t i = 0; i < size; ++i)
            for (std::int64_t r = 0; r < rows; ++r) to[i * attention_tile_keys + r] = from[r * x.strides[2] + i * x.strides[3]];
    }
    const std::int64_t whole = whole_vectors(rows);
    for (std::int64_t i = 0; i < size; ++i) std::fill(to + i * attention_tile_keys + rows, to + i * attention_tile_keys + whole, 0.0f);
}

void AttentionProblem::scores(std::int64_t b, std::int64_t h, std::int64_t first_query, std::int64_t rows, std::int64_t first_key,
                              std::int64_t key_count, const float* scaled_q, std::int64_t q_row, const float* k_columns, float* s) const {
    const std::int64_t whole = whole_vectors(key_count);
    tile_kernels().product({.rows = rows, .columns = whole, .terms = size, .a = scaled_q, .a_row = q_row, .b = k_columns,
                            .b_term = attention_tile_keys, .c = s, .c_row = attention_tile_keys});
    for (std::int64_t r = 0; r < rows; ++r) {
        float* row = s + r * attention_tile_keys;
        const std::int64_t i = first_query + r;
        if (bias.data) {
            const float* add = row_of(bias, b, h, i) + first_key * bias.strides[3];
            const std::int64_t step = bias.strides[3];
            if (step == 1) {
                for (std::int64_t j = 0; j < key_count; ++j) row[j] += std::max(add[j], attention_hidden);
            } else {
                for (std::int64_t j = 0; j < key_count; ++j) row[j] += std::max(add[j * step], attention_hidden);
            }
        }
        if (before >= 0) std::fill(row, row + std::clamp<std::int64_t>(i - before - first_key, 0, key_count), attention_hidden);
        if (after >= 0) std::fill(row + std::clamp<std::int64_t>(i + after + 1 - first_key, 0, key_count), row + key_count, attention_hidden);
        std::fill(row + key_count, row + whole, attention_hidden);
    }
}

}  // namespace gpu
