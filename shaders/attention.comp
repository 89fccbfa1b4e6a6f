// y = softmax(scale q k^T + bias) v for 32 queries of one head and up to 8 COLUMNS columns of v, over tiles of 32 keys.
#version 460
#include "common/types.glsl"
#include "common/math.glsl"
#include "common/fused.glsl"
#include "common/attention_push.glsl"

layout(push_constant, scalar) uniform Push {
    IN0 q;
    IN1 k;
    IN2 v;
#ifdef HAS_BIAS
    IN3 bias;                         // row-major
#endif
    OUT y;                            // [B, Q, H, DV]
    ATTENTION_SIZES
    uint q_b, q_h, q_t, q_d;          // strides
    uint k_b, k_h, k_t, k_d;
    uint v_b, v_h, v_t, v_d;
    FUSED_PUSH
} p;

#define LOAD_BIAS LOAD3
#include "common/attention.glsl"
#include "common/online_softmax.glsl"

shared float weights[TILE][TILE + 1];

void main() {
    const uint chunks = (DV + 8 * COLUMNS - 1) / (8 * COLUMNS);
    const uint query = gl_WorkGroupID.x / chunks * TILE, h = gl_WorkGroupID.y, b = gl_WorkGroupID.z;
    const uint tx = gl_LocalInvocationID.x, row = 4 * gl_LocalInvocationID.y;
    const uint column = gl_WorkGroupID.x % chunks * 8 * COLUMNS + tx;
    float sum[4][COLUMNS], most[4], total[4];
    for (uint i = 0; i < 4; ++i) {
        most[i] = HIDDEN;
        total[i] = 0.0;
        for (uint c = 0; c < COLUMNS; ++c) sum[i][c] = 0.0;
    }
    const uvec2 keys = visible_keys(query, min(TILE, p.Q - query));
    for (uint key = keys.x; key < keys.y; key += TILE) {
        float s[4][4], shrink[4];
        tile_scores(b, h, query, key, s);
        online_softmax(s, most, total, shrink);
        for (uint i = 0; i < 4; ++i) {
            for (uint j = 0; j < 4; ++j) weights[row + i][tx + 8 * j] = s[i][j];
            for (uint c = 0; c < COLUMNS; ++c) sum[i][c] *= shrink[i];
        }
        barrier();
        const uint count = min(TILE, keys.y - key), from = b * p.v_b + h / GROUP * p.v_h + key * p.v_t;
        [[dont_unroll]] for (uint t = 0; t < count; ++t) {
            float w[4];
            for (uint i = 0; i < 4; ++i) w[i] = weights[row + i][t];
            for (uint c = 0; c < COLUMNS; ++c) {
                const float v = LOAD2(p.v, from + t * p.v_t + min(column + 8 * c, DV - 1) * p.v_d);
                for (uint i = 0; i < 4; ++i) sum[i][c] += w[i] * v;
            }
        }
    }
    row_totals(total);
    for (uint i = 0; i < 4; ++i)
        for (uint c = 0; c < COLUMNS; ++c)
            if (query + row + i < p.Q && column + 8 * c < DV) {
                const uint at = ((b * p.Q + query + row + i) * gl_NumWorkGroups.y + h) * DV + column + 8 * c;
                STORE(p.y, at, EPILOGUE(total[i] > 0.0 ? sum[i][c] / total[i] : 0.0, at));
            }
}
