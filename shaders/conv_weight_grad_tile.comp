// A convolution's gradient in its weight, one group, 1 to 3 spatial axes, channels last, by tiles in shared memory.
#version 460
#include "common/types.glsl"
#include "common/vectors.glsl"
#include "common/quads.glsl"
#include "common/split_k.glsl"
#include "common/conv_weight_gemm.glsl"

Quad a_load(uint k, uint m) {
#if VECTOR1 >= 4
    return k < p.K && m < p.M ? QUAD1(p.dy, k * p.M + m) : Quad(0);
#else
    Quad x = Quad(0);
    for (uint e = 0; e < 4; ++e)
        if (k < p.K && m + e < p.M) x[e] = Number(LOAD1(p.dy, k * p.M + m + e));
    return x;
#endif
}

Quad b_load(uint k, uint n) {
    uint at;
    if (!meets(k, n, at)) return Quad(0);
#if VECTOR0 >= 4
    return QUAD0(p.x, at);
#else
    Quad x = Quad(0);
    for (uint e = 0; e < 4; ++e)
        if (n % p.padded + e < p.C) x[e] = Number(LOAD0(p.x, at + e));
    return x;
#endif
}

#include "common/gemm_tile.glsl"

void main() {
    const uint m0 = gl_WorkGroupID.y * BLOCK_M, n0 = gl_WorkGroupID.x * BLOCK_N;
    gemm_tile(m0, n0, K_FIRST, K_LAST);
    for (uint i = 0; i < LANE_M; ++i)
        for (uint j = 0; j < LANE_N / 4; ++j)
            for (uint e = 0; e < 4; ++e) store_result(result_row(m0, i), result_column(n0, j) + e, total[i][j][e]);
}
