// c[b, m, n] = sum over k of a[b, m, k] b[b, k, n], any strides of a and b, c row-major: a tile of c to a workgroup.
#version 460
#include "common/types.glsl"
#include "common/vectors.glsl"
#include "common/quads.glsl"
#include "common/math.glsl"
#include "common/fused.glsl"
#include "common/split_k.glsl"

layout(push_constant, scalar) uniform Push {
    IN0 a;
    IN1 b;
    OUT c;
    uint M, N, K;
    uint batched_b;
    SPLIT_PUSH
    uint a_batch, a_row, a_column;   // strides
    uint b_batch, b_row, b_column;
    FUSED_PUSH
} p;

#define A_ALONG_K !(AXIS0 == 1 && VECTOR0 >= 4)
struct ARow {
    uint at;   // of the row's first element; past the end: of the last row, whose results nobody stores
};
struct BColumn {
    uint at;
};
#define B_ALONG_K (AXIS1 == 1)

#if A_ALONG_K
ARow a_row(uint m) { return ARow(PRODUCT * p.a_batch + min(m, p.M - 1) * p.a_row); }

Quad a_load(ARow row, uint k0, uint quad) {
    const uint k = k0 + quad;
#if AXIS0 == 2 && VECTOR0 >= 4
    return k < p.K ? QUAD0(p.a, row.at + k) : Quad(0);
#else
    Quad x = Quad(0);
    for (uint e = 0; e < 4; ++e)
        if (k + e < p.K) x[e] = Number(LOAD0(p.a, row.at + (k + e) * p.a_column));
    return x;
#endif
}
#else
Quad a_load(uint k, uint m) {
    return k < p.K && m < p.M ? QUAD0(p.a, PRODUCT * p.a_batch + k * p.a_column + m) : Quad(0);
}
#endif

uint b_start() { return p.batched_b != 0 ? PRODUCT * p.b_batch : 0; }

#if B_ALONG_K
BColumn b_column(uint n) { return BColumn(b_start() + min(n, p.N - 1) * p.b_column); }

Quad b_load(BColumn column, uint k0, uint quad) {
    const uint k = k0 + quad;
#if VECTOR1 >= 4
    return k < p.K ? QUAD1(p.b, column.at + k) : Quad(0);
#else
    Quad x = Quad(0);
    for (uint e = 0; e < 4; ++e)
        if (k + e < p.K) x[e] = Number(LOAD1(p.b, column.at + (k + e) * p.b_row));
    return x;
#endif
}
#else
Quad b_load(uint k, uint n) {
    const uint row = b_start() + k * p.b_row;
#if AXIS1 == 2 && VECTOR1 >= 4
    return k < p.K && n < p.N ? QUAD1(p.b, row + n) : Quad(0);
#else
    Quad x = Quad(0);
    for (uint e = 0; e < 4; ++e)
        if (k < p.K && n + e < p.N) x[e] = Number(LOAD1(p.b, row + (n + e) * p.b_column));
    return x;
#endif
}
#endif

#include "common/gemm_tile.glsl"

void main() {
    const uint m0 = gl_WorkGroupID.y * BLOCK_M, n0 = gl_WorkGroupID.x * BLOCK_N;
    gemm_tile(m0, n0, K_FIRST, K_LAST);
    for (uint i = 0; i < LANE_M; ++i)
        for (uint j = 0; j < LANE_N / 4; ++j)
            for (uint e = 0; e < 4; ++e) {
                const uint m = result_row(m0, i), n = result_column(n0, j) + e;
                if (m >= p.M || n >= p.N) continue;
                const uint at = (gl_WorkGroupID.z * p.M + m) * p.N + n;
                STORE(p.c, at, EPILOGUE(total[i][j][e], at));
            }
}
