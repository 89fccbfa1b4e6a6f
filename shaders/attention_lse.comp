// The logarithm of each query's sum of exp(score), for 32 queries of one head.
#version 460
#include "common/types.glsl"
#include "common/math.glsl"
#include "common/fused.glsl"
#include "common/attention_push.glsl"

layout(push_constant, scalar) uniform Push {
    IN0 q;
    IN1 k;
#ifdef HAS_BIAS
    IN2 bias;                         // row-major
#endif
    OUT lse;                          // [B, H, Q]
    ATTENTION_SIZES
    uint q_b, q_h, q_t, q_d;          // strides
    uint k_b, k_h, k_t, k_d;
} p;

#define LOAD_BIAS LOAD2
#include "common/attention.glsl"
#include "common/online_softmax.glsl"

void main() {
    const uint query = gl_WorkGroupID.x * TILE, h = gl_WorkGroupID.y, b = gl_WorkGroupID.z;
    float most[4], total[4];
    for (uint i = 0; i < 4; ++i) {
        most[i] = HIDDEN;
        total[i] = 0.0;
    }
    const uvec2 keys = visible_keys(query, min(TILE, p.Q - query));
    for (uint key = keys.x; key < keys.y; key += TILE) {
        float s[4][4], shrink[4];
        tile_scores(b, h, query, key, s);
        online_softmax(s, most, total, shrink);
    }
    row_totals(total);
    if (gl_LocalInvocationID.x != 0) return;
    for (uint i = 0; i < 4; ++i) {
        const uint at = query + 4 * gl_LocalInvocationID.y + i;
        if (at < p.Q) STORE(p.lse, (b * gl_NumWorkGroups.y + h) * p.Q + at, total[i] > 0.0 ? most[i] + log(total[i]) : -HIDDEN);
    }
}
