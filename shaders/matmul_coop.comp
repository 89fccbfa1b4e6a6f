// c[b, m, n] = sum over k of a[b, m, k] b[b, k, n] by subgroups' matrices: halves in, floats summed (or floats throughout with
// COOP_SUBGROUP); with HALF_PRODUCTS without matrices, see common/gemm_half.glsl. Any strides of a and b, c row-major.
#version 460
#include "common/types.glsl"
#include "common/vectors.glsl"
#include "common/coopmat.glsl"
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

layout(constant_id = 5) const bool K_TAIL = true;   // K is no multiple of BLOCK_K

#if AXIS0 == 1 && COOP_PACK == 8 && defined(WORDS8_0)
#define A_ALONG_K 0
#else
#define A_ALONG_K 1
#endif
struct ARow {
    uint at;   // of the row's first element; past the end: of the last row, whose results nobody stores
};
struct BColumn {
    uint at;
};
#if AXIS1 == 2 && COOP_PACK == 8 && defined(WORDS8_1)
#define B_ALONG_K 0
#else
#define B_ALONG_K 1
#endif

#if A_ALONG_K
ARow a_row(uint m) { return ARow(PRODUCT * p.a_batch + min(m, p.M - 1) * p.a_row); }

uvec4 a_load(ARow row, uint k0, uint word, out bool real) {
    const uint k = k0 + word;
    real = !K_TAIL || k < p.K;
#if AXIS0 == 2 && COOP_PACK == 8 && defined(WORDS8_0)
    return WORDS8_0(p.a, row.at + min(k, p.K - 8));
#elif AXIS0 == 2 && COOP_PACK == 4 && VECTOR0 >= 4
    return floatBitsToUint(LOAD4_0(p.a, row.at + min(k, p.K - 4)));
#else
    float x[COOP_PACK];
    for (uint e = 0; e < COOP_PACK; ++e) x[e] = k + e < p.K ? LOAD0(p.a, row.at + (k + e) * p.a_column) : 0.0;
    return coop_words(x);
#endif
}
#else
uvec4 a_load(uint k, uint m, out bool real) {
    real = !K_TAIL || k < p.K;
    return WORDS8_0(p.a, PRODUCT * p.a_batch + min(k, p.K - 1) * p.a_column + min(m, p.M - 8));
}
#endif

uint b_start() { return p.batched_b != 0 ? PRODUCT * p.b_batch : 0; }

#if B_ALONG_K
BColumn b_column(uint n) { return BColumn(b_start() + min(n, p.N - 1) * p.b_column); }

uvec4 b_load(BColumn column, uint k0, uint word, out bool real) {
    const uint k = k0 + word;
    real = !K_TAIL || k < p.K;
#if AXIS1 == 1 && COOP_PACK == 8 && defined(WORDS8_1)
    return WORDS8_1(p.b, column.at + min(k, p.K - 8));
#elif AXIS1 == 1 && COOP_PACK == 4 && VECTOR1 >= 4
    return floatBitsToUint(LOAD4_1(p.b, column.at + min(k, p.K - 4)));
#else
    float x[COOP_PACK];
    for (uint e = 0; e < COOP_PACK; ++e) x[e] = k + e < p.K ? LOAD1(p.b, column.at + (k + e) * p.b_row) : 0.0;
    return coop_words(x);
#endif
}
#else
uvec4 b_load(uint k, uint n, out bool real) {
    real = !K_TAIL || k < p.K;
    return WORDS8_1(p.b, b_start() + min(k, p.K - 1) * p.b_row + min(n, p.N - 8));
}
#endif

void store_result(uint m, uint n, float value) {
    if (m >= p.M || n >= p.N) return;
    const uint at = (gl_WorkGroupID.z * p.M + m) * p.N + n;
    STORE(p.c, at, EPILOGUE(value, at));
}

#ifdef HALF_PRODUCTS
#include "common/gemm_half.glsl"
#define GEMM gemm_half
#else
#include "common/gemm_coop.glsl"
#define GEMM gemm_coop
#endif

void main() { GEMM(gl_WorkGroupID.y * BLOCK_M, gl_WorkGroupID.x * BLOCK_N, K_FIRST, K_LAST); }
