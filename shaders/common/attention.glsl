// Tiles of attention scores, for a workgroup of 8 x 8 invocations and 32 x 32 scores: invocation (tx, ty) has those of
// queries 4 ty + i and keys tx + 8 j. Expects a push block p with q, k, ATTENTION_SIZES; Q_AT(b, h, i), Q_ROW, Q_STEP (the
// first element of a query, what lies between queries and between the numbers of one) and the same of K; with HAS_BIAS
// LOAD_BIAS of p.bias, which lies row-major. Heads are gl_NumWorkGroups.y.
#extension GL_EXT_control_flow_attributes : require

layout(constant_id = 0) const uint COLUMNS = 1;       // of the result, per invocation

layout(local_size_x = 8, local_size_y = 8) in;

#include "common/attention_mask.glsl"

const uint TILE = 32, STEP = 16;
shared float left_tile[STEP][TILE + 1], right_tile[STEP][TILE + 1];

// sum[i][j] += the products of 32 rows with 32 rows of `SIZE` numbers; rows past the counts (at least 1) count as zeros.
#define DEFINE_TILE_PRODUCT(NAME, SIZE, LOAD_LEFT, LEFT, LOAD_RIGHT, RIGHT)                                                   \
    void NAME(uint left, uint left_row, uint left_step, uint left_count, uint right, uint right_row, uint right_step,         \
              uint right_count, inout float sum[4][4]) {                                                                      \
        [[dont_unroll]] for (uint first = 0; first < SIZE; first += STEP) {                                                   \
            barrier();                                                                                                        \
            [[dont_unroll]] for (uint e = gl_LocalInvocationIndex; e < STEP * TILE; e += 64) {                                \
                const uint d = e % STEP, r = e / STEP, at = min(first + d, SIZE - 1);                                         \
                const bool inside = first + d < SIZE;                                                                         \
                const float a = LOAD_LEFT(LEFT, left + min(r, left_count - 1) * left_row + at * left_step);                   \
                const float b = LOAD_RIGHT(RIGHT, right + min(r, right_count - 1) * right_row + at * right_step);             \
                left_tile[d][r] = inside && r < left_count ? a : 0.0;                                                         \
                right_tile[d][r] = inside && r < right_count ? b : 0.0;                                                       \
            }                                                                                                                 \
            barrier();                                                                                                        \
            [[dont_unroll]] for (uint d = 0; d < STEP; ++d) {                                                                 \
                float b[4];                                                                                                   \
                for (uint j = 0; j < 4; ++j) b[j] = right_tile[d][gl_LocalInvocationID.x + 8 * j];                            \
                for (uint i = 0; i < 4; ++i) {                                                                                \
                    const float a = left_tile[d][4 * gl_LocalInvocationID.y + i];                                             \
                    for (uint j = 0; j < 4; ++j) sum[i][j] += a * b[j];                                                       \
                }                                                                                                             \
            }                                                                                                                 \
        }                                                                                                                     \
    }

DEFINE_TILE_PRODUCT(query_key_product, D, LOAD0, p.q, LOAD1, p.k)

void tile_scores(uint b, uint h, uint query, uint key, out float s[4][4]) {
    for (uint i = 0; i < 4; ++i)
        for (uint j = 0; j < 4; ++j) s[i][j] = 0.0;
    query_key_product(Q_AT(b, h, query), Q_ROW, Q_STEP, p.Q - query, K_AT(b, h, key), K_ROW, K_STEP, p.K - key, s);
    for (uint i = 0; i < 4; ++i)
        for (uint j = 0; j < 4; ++j) {
            const uint row = query + 4 * gl_LocalInvocationID.y + i, column = key + gl_LocalInvocationID.x + 8 * j;
            const int ahead = int(column) - int(row);
            bool seen = row < p.Q && column < p.K;
            if (p.before >= 0) seen = seen && -ahead <= p.before;
            if (p.after >= 0) seen = seen && ahead <= p.after;
            float value = s[i][j] * p.scale;
#ifdef HAS_BIAS
            value += max(bias_at(b, h, min(row, p.Q - 1), min(column, p.K - 1)), HIDDEN);
#endif
            s[i][j] = seen ? value : HIDDEN;
        }
}
