// What the host kernels of attention share: the problem, and tiles of its scores.
#pragma once

#include <utility>

#include "gpu/run/host/tile.h"
#include "gpu/run/host_kernel.h"

namespace gpu {

// A score at or below half of this is of a key that the query does not see.
constexpr float attention_hidden = -1e30f;

// Keys of a tile: a multiple of three vectors of every kind.
constexpr std::int64_t attention_tile_keys = 192;

struct AttentionProblem {
    // `call.in` begins with q, k, v (v is absent where only scores matter) and, with `has_bias`, the bias at `bias_at`.
    AttentionProblem(const HostCall& call, bool has_values, bool has_bias, std::size_t bias_at);

    std::int64_t batch, heads, kv_heads, queries, keys, size, value_size = 0;
    float scale;
    std::int64_t before, after;     // query i sees keys i - before ... i + after; -1: all on that side
    HostOperand q, k, v, bias;      // strides of broadcast axes are 0

    std::int64_t group() const { return heads / kv_heads; }
    // The keys [first, second) that some query of [first_query, last_query) sees.
    std::pair<std::int64_t, std::int64_t> visible(std::int64_t first_query, std::int64_t last_query) const;

    // Rows [first, first + rows) of one head of `x`, times `factor`, as rows of `row` floats: zeros fill them up.
    static void pack_rows(const HostOperand& x, std::int64_t b, std::int64_t h, std::int64_t first, std::int64_t rows, float factor,
                          float* to, std::int64_t row);
    // The same rows as columns of a matrix [size, attention_tile_keys].
    static void pack_columns(const HostOperand& x, std::int64_t b, std::int64_t h, std::int64_t first, std::int64_t rows, float* to);

    // s[r, j] of queries first_query + r and keys first_key + j; hidden ones and the columns past `keys` up to whole vectors
    // get attention_hidden. `scaled_q` are packed rows, `k_columns` a packed key tile.
    void scores(std::int64_t b, std::int64_t h, std::int64_t first_query, std::int64_t rows, std::int64_t first_key,
                std::int64_t key_count, const float* scaled_q, std::int64_t q_row, const float* k_columns, float* s) const;
};

inline std::int64_t whole_vectors(std::int64_t count) {
    const std::int64_t lanes = tile_kernels().lanes;
    return (count + lanes - 1) / lanes * lanes;
}

}  // namespace gpu
