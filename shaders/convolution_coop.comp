// A convolution of one group, 1 to 3 spatial axes, channels last, as a matrix product by subgroups' matrices, or
// with HALF_PRODUCTS without them (common/gemm_half.glsl).
#version 460
#include "common/types.glsl"
#include "common/vectors.glsl"
#include "common/coopmat.glsl"
#include "common/math.glsl"
#include "common/fused.glsl"
#include "common/split_k.glsl"
#include "common/conv_gemm.glsl"

layout(constant_id = 5) const bool K_TAIL = true;   // the channels are no multiple of BLOCK_K

uvec4 a_load(ARow row, uint k0, uint k, out bool real) {
    uint at;
    const uint c = channel(k0, k);
    real = meets(row, k0, at) && (!K_TAIL || c < p.C);
#if COOP_PACK == 8 && defined(WORDS8_0)
    return WORDS8_0(p.x, at + min(c, p.C - 8));
#elif COOP_PACK == 4 && VECTOR0 >= 4
    return floatBitsToUint(LOAD4_0(p.x, at + min(c, p.C - 4)));
#else
    float x[COOP_PACK];
    for (uint e = 0; e < COOP_PACK; ++e) x[e] = real && c + e < p.C ? LOAD0(p.x, at + c + e) : 0.0;
    return coop_words(x);
#endif
}

uvec4 b_load(BColumn column, uint k0, uint k, out bool real) {
    const uint c = channel(k0, k);
    real = !K_TAIL || c < p.C;
#if COOP_PACK == 8 && defined(WORDS8_1) && !defined(WEIGHTS_OIHW)
    return WORDS8_1(p.w, weight_at(column, k0, min(c, p.C - 8)));
#elif COOP_PACK == 4 && VECTOR1 >= 4 && !defined(WEIGHTS_OIHW)
    return floatBitsToUint(LOAD4_1(p.w, weight_at(column, k0, min(c, p.C - 4))));
#else
    float x[COOP_PACK];
    for (uint e = 0; e < COOP_PACK; ++e) x[e] = c + e < p.C ? LOAD1(p.w, weight_at(column, k0, c + e)) : 0.0;
    return coop_words(x);
#endif
}

void store_result(uint m, uint n, float value) {
    if (m >= p.M || n >= p.O) return;
    const uint at = (PART * p.M + m) * p.O + n;
    STORE(p.y, at, EPILOGUE(value, at));
}

#ifdef HALF_PRODUCTS
#include "common/gemm_half.glsl"
#define GEMM gemm_half
#else
#include "common/gemm_coop.glsl"
#define GEMM gemm_coop
#endif

void main() { GEMM(gl_WorkGroupID.y * BLOCK_M, gl_WorkGroupID.x * BLOCK_N, K_FIRST, K_LAST); }
