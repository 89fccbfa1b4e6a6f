// A convolution of one group, 1 to 3 spatial axes, channels last, as a matrix product by tiles in shared memory.
#version 460
#include "common/types.glsl"
#include "common/vectors.glsl"
#include "common/quads.glsl"
#include "common/math.glsl"
#include "common/fused.glsl"
#include "common/split_k.glsl"
#include "common/conv_gemm.glsl"

Quad a_load(ARow row, uint k0, uint k) {
    uint at;
    const uint c = channel(k0, k);
    if (!meets(row, k0, at) || c >= p.C) return Quad(0);
#if VECTOR0 >= 4
    return QUAD0(p.x, at + c);
#else
    Quad x = Quad(0);
    for (uint e = 0; e < 4; ++e)
        if (c + e < p.C) x[e] = Number(LOAD0(p.x, at + c + e));
    return x;
#endif
}

Quad b_load(BColumn column, uint k0, uint k) {
    const uint c = channel(k0, k);
#if VECTOR1 >= 4 && !defined(WEIGHTS_OIHW)
    return c < p.C ? QUAD1(p.w, weight_at(column, k0, c)) : Quad(0);
#else
    Quad x = Quad(0);
    for (uint e = 0; e < 4; ++e)
        if (c + e < p.C) x[e] = Number(LOAD1(p.w, weight_at(column, k0, c + e)));
    return x;
#endif
}

#include "common/gemm_tile.glsl"

void main() {
    const uint m0 = gl_WorkGroupID.y * BLOCK_M, n0 = gl_WorkGroupID.x * BLOCK_N;
    gemm_tile(m0, n0, K_FIRST, K_LAST);
    for (uint i = 0; i < LANE_M; ++i)
        for (uint j = 0; j < LANE_N / 4; ++j)
            for (uint e = 0; e < 4; ++e) {
                const uint m = result_row(m0, i), n = result_column(n0, j) + e;
                if (m >= p.M || n >= p.O) continue;
                const uint at = (PART * p.M + m) * p.O + n;
                STORE(p.y, at, EPILOGUE(total[i][j][e], at));
            }
}
