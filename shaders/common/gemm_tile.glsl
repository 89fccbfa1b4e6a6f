// C = A B, or the part of it that k_first to k_last give, for a workgroup's tile of BLOCK_M x BLOCK_N, through shared memory,
// LANE_M x LANE_N elements an invocation.
// Tiling as in Volkov and Demmel, "Benchmarking GPUs to Tune Dense Linear Algebra" (2008).
//
// The including shader defines, for the element types of its own:
//     A_ALONG_K 1 (unless defined otherwise): ARow a_row(uint m)                   what is known of a row of A before the loop (m may lie past the end)
//     Quad a_load(ARow row, uint k0, uint k)    four elements along k from k0 + k on, zeros past the end; k0 is that of the step,
//                                          the same in all invocations, and k a multiple of 4 below BLOCK_K
//               0: Quad a_load(uint k, uint m)                                               four elements along m
//     B_ALONG_K 1: BColumn b_column(uint n), Quad b_load(BColumn column, uint k0, uint k)    four elements along k
//               0: Quad b_load(uint k, uint n)                                               four elements along n
// Quad: common/quads.glsl.
#extension GL_EXT_control_flow_attributes : require

#ifndef A_ALONG_K
#define A_ALONG_K 1
#endif

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint BLOCK_M = 64;
layout(constant_id = 2) const uint BLOCK_N = 64;
layout(constant_id = 3) const uint BLOCK_K = 16;
layout(constant_id = 4) const uint LANE_M = 4;   // multiples of 4
layout(constant_id = 5) const uint LANE_N = 4;

const uint LANES = gl_WorkGroupSize.x;   // BLOCK_M / LANE_M * BLOCK_N / LANE_N, a multiple of BLOCK_K / 4
// A row of the tile is one k; its quads are padded by one so that the scattered stores meet fewer banks.
const uint PITCH_A = BLOCK_M / 4 + 1, PITCH_B = BLOCK_N / 4 + 1;
const uint QUADS_K = BLOCK_K / 4;
const uint ROWS_A = BLOCK_M * QUADS_K / LANES, COLUMNS_B = BLOCK_N * QUADS_K / LANES;   // quads that an invocation loads

shared Quad tile_a[BLOCK_K * PITCH_A];
shared Quad tile_b[BLOCK_K * PITCH_B];

// Where an invocation's sums lie in C: sum i is of one row, sum j of four columns from this one on.
uint result_row(uint m0, uint i) {
    return m0 + (i / 4) * (BLOCK_M / LANE_M * 4) + gl_LocalInvocationIndex / (BLOCK_N / LANE_N) * 4 + i % 4;
}
uint result_column(uint n0, uint j) {
    return n0 + j * (BLOCK_N / LANE_N * 4) + gl_LocalInvocationIndex % (BLOCK_N / LANE_N) * 4;
}

// (glslang matches no parameter to an array whose length is a specialisation constant.)
vec4 total[LANE_M][LANE_N / 4];

void gemm_tile(uint m0, uint n0, uint k_first, uint k_last) {   // multiples of BLOCK_K, or the end
    const uint lane = gl_LocalInvocationIndex;
    for (uint i = 0; i < LANE_M; ++i)
        for (uint j = 0; j < LANE_N / 4; ++j) total[i][j] = vec4(0);

    const uint quad = lane % QUADS_K * 4, first = lane / QUADS_K;
#if A_ALONG_K
    ARow rows[ROWS_A];
    for (uint i = 0; i < ROWS_A; ++i) rows[i] = a_row(m0 + first + i * (LANES / QUADS_K));
#endif
#if B_ALONG_K
    BColumn columns[COLUMNS_B];
    for (uint i = 0; i < COLUMNS_B; ++i) columns[i] = b_column(n0 + first + i * (LANES / QUADS_K));
#endif

    for (uint k0 = k_first; k0 < k_last; k0 += BLOCK_K) {
        barrier();
        for (uint i = 0; i < ROWS_A; ++i) {
#if A_ALONG_K
            const uint m = first + i * (LANES / QUADS_K);
            const Quad x = a_load(rows[i], k0, quad);
            for (uint e = 0; e < 4; ++e) tile_a[(quad + e) * PITCH_A + m / 4][m % 4] = x[e];
#else
            const uint at = lane + i * LANES, k = at / (BLOCK_M / 4), m = at % (BLOCK_M / 4);
            tile_a[k * PITCH_A + m] = a_load(k0 + k, m0 + m * 4);
#endif
        }
        for (uint i = 0; i < COLUMNS_B; ++i) {
#if B_ALONG_K
            const uint n = first + i * (LANES / QUADS_K);
            const Quad x = b_load(columns[i], k0, quad);
            for (uint e = 0; e < 4; ++e) tile_b[(quad + e) * PITCH_B + n / 4][n % 4] = x[e];
#else
            const uint at = lane + i * LANES, k = at / (BLOCK_N / 4), n = at % (BLOCK_N / 4);
            tile_b[k * PITCH_B + n] = b_load(k0 + k, n0 + n * 4);
#endif
        }
        barrier();
        const uint m = lane / (BLOCK_N / LANE_N), n = lane % (BLOCK_N / LANE_N);
        // Four steps written out are enough for the scheduler; all sixteen take a software driver seconds to compile.
        [[dont_unroll]] for (uint k4 = 0; k4 < BLOCK_K; k4 += 4)
        for (uint k = k4; k < k4 + 4; ++k) {
            vec4 b[LANE_N / 4];
            for (uint j = 0; j < LANE_N / 4; ++j) b[j] = vec4(tile_b[k * PITCH_B + j * (BLOCK_N / LANE_N) + n]);
            for (uint i = 0; i < LANE_M / 4; ++i) {
                const vec4 a = vec4(tile_a[k * PITCH_A + i * (BLOCK_M / LANE_M) + m]);
                for (uint j = 0; j < LANE_N / 4; ++j)
                    for (uint e = 0; e < 4; ++e) total[i * 4 + e][j] = fma(vec4(a[e]), b[j], total[i * 4 + e][j]);
            }
        }
    }
}
