// A convolution's gradient in its weight, one group, 1 to 3 spatial axes, channels last, by subgroups' matrices of halves.
#version 460
#include "common/types.glsl"
#include "common/vectors.glsl"
#include "common/coopmat.glsl"
#include "common/split_k.glsl"
#include "common/conv_weight_gemm.glsl"

layout(constant_id = 5) const bool K_TAIL = true;   // the pixels are no multiple of BLOCK_K

uvec4 a_load(uint k, uint m, out bool real) {
    real = !K_TAIL || k < p.K;
#ifdef WORDS8_1
    return WORDS8_1(p.dy, min(k, p.K - 1) * p.M + min(m, p.M - 8));
#else
    float x[COOP_PACK];
    for (uint e = 0; e < COOP_PACK; ++e) x[e] = k < p.K && m + e < p.M ? LOAD1(p.dy, k * p.M + m + e) : 0.0;
    return coop_words(x);
#endif
}

uvec4 b_load(uint k, uint n, out bool real) {
    uint at;
    real = meets(k, n, at);
#ifdef WORDS8_0
    return WORDS8_0(p.x, at);
#else
    float x[COOP_PACK];
    for (uint e = 0; e < COOP_PACK; ++e) x[e] = real && n % p.padded + e < p.C ? LOAD0(p.x, at + e) : 0.0;
    return coop_words(x);
#endif
}

#include "common/gemm_coop.glsl"

void main() { gemm_coop(gl_WorkGroupID.y * BLOCK_M, gl_WorkGroupID.x * BLOCK_N, K_FIRST, K_LAST); }
