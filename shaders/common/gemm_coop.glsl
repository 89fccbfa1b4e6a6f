// C = A B, or the part of it that k_first to k_last give, for a workgroup's tile of BLOCK_M x BLOCK_N by subgroups' matrices
// (common/coopmat.glsl). A subgroup computes PARTS_M x PARTS_N of them; there are BLOCK_M / (16 PARTS_M) * BLOCK_N / (16 PARTS_N).
#extension GL_KHR_shader_subgroup_basic : require

layout(constant_id = 3) const uint PARTS_M = 4;
layout(constant_id = 4) const uint PARTS_N = 2;

#include "common/gemm_words.glsl"

const uint STAGE = COOP_SIDE * COOP_SIDE;
shared float stage[BLOCK_M / (COOP_SIDE * PARTS_M) * (BLOCK_N / (COOP_SIDE * PARTS_N)) * STAGE];

void gemm_coop(uint m0, uint n0, uint k_first, uint k_last) {   // multiples of BLOCK_K, or the end
    begin(m0, n0);
    const uint columns = BLOCK_N / (COOP_SIDE * PARTS_N);   // of subgroups
    const uint row = gl_SubgroupID / columns * PARTS_M * COOP_SIDE, column = gl_SubgroupID % columns * PARTS_N * COOP_SIDE;
    CoopC total[PARTS_M][PARTS_N];
    for (uint i = 0; i < PARTS_M; ++i)
        for (uint j = 0; j < PARTS_N; ++j) total[i][j] = COOP_ZERO;

    fetch(k_first, m0, n0);
    put(0);
    barrier();
    uint half_ = 0;
    for (uint k0 = k_first; k0 < k_last; k0 += BLOCK_K) {
        const bool more = k0 + BLOCK_K < k_last;
        if (more) fetch(k0 + BLOCK_K, m0, n0);
        for (uint k = 0; k < BLOCK_K; k += COOP_SIDE) {
            CoopA a[PARTS_M];
            for (uint i = 0; i < PARTS_M; ++i)
                COOP_LOAD_A(a[i], tile_a, half_ * TILE_A + (row + i * COOP_SIDE) * PITCH + k / COOP_PACK, PITCH);
            for (uint j = 0; j < PARTS_N; ++j) {
                CoopB b;
                COOP_LOAD_B(b, tile_b, half_ * TILE_B + (column + j * COOP_SIDE) * PITCH + k / COOP_PACK, PITCH);
                for (uint i = 0; i < PARTS_M; ++i) total[i][j] = COOP_PRODUCT(a[i], b, total[i][j]);
            }
        }
        half_ = 1 - half_;
        if (more) put(half_);
        barrier();
    }

    // Through shared memory, one matrix at a time, so that each element meets its epilogue with its index known.
    const uint mine = gl_SubgroupID * STAGE;
    for (uint i = 0; i < PARTS_M; ++i)
        for (uint j = 0; j < PARTS_N; ++j) {
            COOP_STORE(total[i][j], stage, mine, COOP_SIDE);
            subgroupMemoryBarrierShared();
            subgroupBarrier();
            for (uint at = gl_SubgroupInvocationID; at < STAGE; at += gl_SubgroupSize)
                store_result(m0 + row + i * COOP_SIDE + at / COOP_SIDE, n0 + column + j * COOP_SIDE + at % COOP_SIDE, stage[mine + at]);
            subgroupMemoryBarrierShared();
            subgroupBarrier();
        }
}
