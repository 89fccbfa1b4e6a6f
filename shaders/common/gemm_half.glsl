// C = A B, or the part of it that k_first to k_last give, for a workgroup's tile of BLOCK_M x BLOCK_N, LANE_M x LANE_N elements an
// invocation, multiplied in halves: packed multiply-adds (v_pk_fma_f16 of RDNA, and its like elsewhere) do two at once. Four products
// of even k and four of odd k are summed in halves; then both short sums go to the total in floats. Normal numbers err by 3.3e-4 of the
// result then, less than rounding what goes in and comes out does (3.5e-4); sums of eight, 1.2 times as fast, would err by 4.4e-4.
#extension GL_EXT_control_flow_attributes : require
layout(constant_id = 3) const uint LANE_M = 8;
layout(constant_id = 4) const uint LANE_N = 8;
#include "common/gemm_words.glsl"

// The product of a multiply-add is not rounded by itself. Mesa's software driver would; it goes through floats. (Packed, as it leaves out
// the rounding of float16_t(x) where that becomes a float again.)
#ifdef FMA_IN_FLOATS
f16vec2 multiply_add(f16vec2 a, f16vec2 b, f16vec2 c) { return unpackFloat2x16(packHalf2x16(fma(vec2(a), vec2(b), vec2(c)))); }
#else
#define multiply_add fma
#endif

// (glslang matches no parameter to an array whose length is a specialisation constant.)
float total[LANE_M][LANE_N];

void gemm_half(uint m0, uint n0, uint k_first, uint k_last) {   // multiples of BLOCK_K, or the end
    begin(m0, n0);
    const uint rows = BLOCK_M / LANE_M, columns = BLOCK_N / LANE_N;   // of invocations
    const uint row = gl_LocalInvocationIndex / columns, column = gl_LocalInvocationIndex % columns;
    for (uint i = 0; i < LANE_M; ++i)
        for (uint j = 0; j < LANE_N; ++j) total[i][j] = 0.0;

    fetch(k_first, m0, n0);
    put(0);
    barrier();
    uint half_ = 0;
    for (uint k0 = k_first; k0 < k_last; k0 += BLOCK_K) {
        const bool more = k0 + BLOCK_K < k_last;
        if (more) fetch(k0 + BLOCK_K, m0, n0);
        [[dont_unroll]] for (uint w = 0; w < WORDS_K; ++w) {
            // (Bounds that compilers see, so that what is constant of an index goes into the loads.)
            const uint at_a = (half_ & 1) * TILE_A + row * PITCH + w % WORDS_K, at_b = (half_ & 1) * TILE_B + column * PITCH + w % WORDS_K;
            uvec4 b[LANE_N];
            for (uint j = 0; j < LANE_N; ++j) b[j] = tile_b[at_b + j * columns * PITCH];
            for (uint i = 0; i < LANE_M; ++i) {
                const uvec4 a = tile_a[at_a + i * rows * PITCH];
                for (uint j = 0; j < LANE_N; ++j) {
                    f16vec2 run = unpackFloat2x16(a[0]) * unpackFloat2x16(b[j][0]);
                    for (uint e = 1; e < 4; ++e) run = multiply_add(unpackFloat2x16(a[e]), unpackFloat2x16(b[j][e]), run);
                    total[i][j] += float(run.x);
                    total[i][j] += float(run.y);
                }
            }
        }
        half_ = 1 - half_;
        if (more) put(half_);
        barrier();
    }

    for (uint i = 0; i < LANE_M; ++i)
        for (uint j = 0; j < LANE_N; ++j) store_result(m0 + row + i * rows, n0 + column + j * columns, total[i][j]);
}
