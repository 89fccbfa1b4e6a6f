// One tile of dQ, dK or dV: 32 rows and up to 8 COLUMNS columns. Probabilities are recomputed from the log-sum-exp.
// Workgroups x: first those of dQ (tiles of queries, chunks of columns), then of dK, then of dV (tiles of keys).
#version 460
#include "common/types.glsl"
#include "common/math.glsl"
#include "common/fused.glsl"
#include "common/attention_push.glsl"

layout(push_constant, scalar) uniform Push {
    IN0 q;                            // [B, Q, H, D]
    IN1 k;                            // [B, K, Hk, D]
    IN2 v;                            // [B, K, Hk, DV]
    IN3 dy;                           // [B, Q, H, DV]
    IN4 lse;                          // [B, H, Q]
    IN5 delta;                        // [B, H, Q]
#ifdef HAS_BIAS
    IN6 bias;                         // row-major
#endif
    OUT grads;                        // dq [B, Q, H, D], dk [B, K, Hk, D], dv [B, K, Hk, DV]
    ATTENTION_SIZES
} p;

#define HEADS gl_NumWorkGroups.y
#undef Q_AT
#undef Q_ROW
#undef Q_STEP
#undef K_AT
#undef K_ROW
#undef K_STEP
#define Q_AT(b, h, i) ((((b) * p.Q + (i)) * HEADS + (h)) * D)
#define Q_ROW (HEADS * D)
#define Q_STEP 1
#define K_AT(b, h, j) ((((b) * p.K + (j)) * (HEADS / GROUP) + (h) / GROUP) * D)
#define K_ROW (HEADS / GROUP * D)
#define K_STEP 1
#define V_AT(b, h, j) ((((b) * p.K + (j)) * (HEADS / GROUP) + (h) / GROUP) * DV)
#define V_ROW (HEADS / GROUP * DV)
#define LOAD_BIAS LOAD6
#include "common/attention.glsl"

DEFINE_TILE_PRODUCT(cotangent_value_product, DV, LOAD3, p.dy, LOAD2, p.v)

shared float weights[TILE][TILE + 1];   // [query][key]: P, or dS

void tile_weights(uint b, uint h, uint query, uint key, bool of_scores) {
    float s[4][4], dp[4][4];
    tile_scores(b, h, query, key, s);
    for (uint i = 0; i < 4; ++i)
        for (uint j = 0; j < 4; ++j) dp[i][j] = 0.0;
    const uint tx = gl_LocalInvocationID.x, row = 4 * gl_LocalInvocationID.y;
    if (of_scores)
        cotangent_value_product(((b * p.Q + query) * HEADS + h) * DV, HEADS * DV, 1, p.Q - query, V_AT(b, h, key), V_ROW, 1,
                                p.K - key, dp);
    barrier();   // the last tile's weights are read
    for (uint i = 0; i < 4; ++i) {
        const uint at = (b * HEADS + h) * p.Q + min(query + row + i, p.Q - 1);
        const float lse = LOAD4(p.lse, at), delta = LOAD5(p.delta, at);
        for (uint j = 0; j < 4; ++j) {
            const float weight = s[i][j] > 0.5 * HIDDEN ? exp(s[i][j] - lse) : 0.0;
            weights[row + i][tx + 8 * j] = of_scores ? weight * (dp[i][j] - delta) * p.scale : weight;
        }
    }
    barrier();
}

void main() {
    const uint b = gl_WorkGroupID.z, kv_heads = HEADS / GROUP, width = 8 * COLUMNS;
    const uint d_chunks = (D + width - 1) / width, v_chunks = (DV + width - 1) / width;
    const uint query_tiles = (p.Q + TILE - 1) / TILE, key_tiles = (p.K + TILE - 1) / TILE;
    const uint tx = gl_LocalInvocationID.x, row = 4 * gl_LocalInvocationID.y;
    uint x = gl_WorkGroupID.x;
    float sum[4][COLUMNS];
    for (uint i = 0; i < 4; ++i)
        for (uint c = 0; c < COLUMNS; ++c) sum[i][c] = 0.0;

    if (x < query_tiles * d_chunks) {
        const uint query = x / d_chunks * TILE, column = x % d_chunks * width + tx, h = gl_WorkGroupID.y;
        const uvec2 keys = visible_keys(query, min(TILE, p.Q - query));
        for (uint key = keys.x; key < keys.y; key += TILE) {
            tile_weights(b, h, query, key, true);
            const uint count = min(TILE, keys.y - key), from = K_AT(b, h, key);
            [[dont_unroll]] for (uint t = 0; t < count; ++t)
                for (uint c = 0; c < COLUMNS; ++c) {
                    const float value = LOAD1(p.k, from + t * K_ROW + min(column + 8 * c, D - 1));
                    for (uint i = 0; i < 4; ++i) sum[i][c] += weights[row + i][t] * value;
                }
        }
        for (uint i = 0; i < 4; ++i)
            for (uint c = 0; c < COLUMNS; ++c)
                if (query + row + i < p.Q && column + 8 * c < D)
                    STORE(p.grads, ((b * p.Q + query + row + i) * HEADS + h) * D + column + 8 * c, sum[i][c]);
        return;
    }
    x -= query_tiles * d_chunks;
    if (gl_WorkGroupID.y >= kv_heads) return;
    const bool of_keys = x < key_tiles * d_chunks;
    if (!of_keys) x -= key_tiles * d_chunks;
    const uint chunks = of_keys ? d_chunks : v_chunks, size = of_keys ? D : DV;
    const uint key = x / chunks * TILE, column = x % chunks * width + tx;
    const uvec2 queries = visible_queries(key, min(TILE, p.K - key));
    for (uint h = gl_WorkGroupID.y * GROUP; h < (gl_WorkGroupID.y + 1) * GROUP; ++h)
        for (uint query = queries.x; query < queries.y; query += TILE) {
            tile_weights(b, h, query, key, of_keys);
            const uint count = min(TILE, queries.y - query);
            [[dont_unroll]] for (uint t = 0; t < count; ++t)
                for (uint c = 0; c < COLUMNS; ++c) {
                    const uint at = min(column + 8 * c, size - 1);
                    float value;
                    if (of_keys) {
                        value = LOAD0(p.q, Q_AT(b, h, query + t) + at);
                    } else {
                        value = LOAD3(p.dy, ((b * p.Q + query + t) * HEADS + h) * DV + at);
                    }
                    for (uint i = 0; i < 4; ++i) sum[i][c] += weights[t][row + i] * value;
                }
        }
    const uint base = b * p.K * kv_heads * size + gl_NumWorkGroups.z * HEADS * p.Q * D + (of_keys ? 0 : gl_NumWorkGroups.z * kv_heads * p.K * D);
    for (uint i = 0; i < 4; ++i)
        for (uint c = 0; c < COLUMNS; ++c)
            if (key + row + i < p.K && column + 8 * c < size)
                STORE(p.grads, base + ((key + row + i) * kv_heads + gl_WorkGroupID.y) * size + column + 8 * c, sum[i][c]);
}
