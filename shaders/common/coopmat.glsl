// Matrices of 16 x 16 that a subgroup holds together, A and B of halves, C of floats:
//     CoopA, CoopB, CoopC                        the types; COOP_ZERO a C of zeros
//     COOP_LOAD_A(a, tile, at, pitch)            rows of a lie `pitch` words of the shared array `tile` apart
//     COOP_LOAD_B(b, tile, at, pitch)            columns of b do
//     COOP_STORE(c, stage, at, pitch)            rows into a shared array of floats
//     COOP_STORE_WORDS(c, tile, at, pitch)       rows into a tile, whose words then hold four floats
//     COOP_PRODUCT(a, b, c)                      a b + c
//     COOP_LOAD_ROWS(c, numbers, at)             all of row m is numbers[at + m], a shared array of floats
//     COOP_DIVIDE(c, d)                          c /= d, element by element (the NV form multiplies by numbers only)
// Tiles are arrays of uvec4 words of COOP_PACK elements.
//
// Three forms of one source: VK_KHR_cooperative_matrix where glslang knows it; GL_NV_cooperative_matrix where it does not
// (the runtime then rewrites the SPIR-V, see gpu/vulkan/cooperative_matrix.h); and with COOP_SUBGROUP=<lanes> any device's
// subgroups, in floats, by shuffles.
#define COOP_SIDE 16

#ifdef COOP_SUBGROUP
#extension GL_KHR_shader_subgroup_shuffle : require

#define COOP_PACK 4
const uint COOP_SHARE = COOP_SIDE * COOP_SIDE / COOP_SUBGROUP;   // elements of a lane: e of lane l is e * lanes + l, row-major
struct CoopA { float v[COOP_SHARE]; };
struct CoopB { float v[COOP_SHARE]; };
struct CoopC { float v[COOP_SHARE]; };

CoopC coop_zero() {
    CoopC c;
    for (uint e = 0; e < COOP_SHARE; ++e) c.v[e] = 0.0;
    return c;
}
CoopC coop_product(CoopA a, CoopB b, CoopC c) {
    const uint lane = gl_SubgroupInvocationID;
    for (uint e = 0; e < COOP_SHARE; ++e) {
        const uint start = e * COOP_SUBGROUP;   // of the lanes' elements; a register's number is the same in all lanes
        for (uint k = 0; k < COOP_SIDE; ++k) {
            const uint in_a = (start + lane) / COOP_SIDE * COOP_SIDE + k, in_b = k * COOP_SIDE + (start + lane) % COOP_SIDE;
            const uint slot_a = COOP_SUBGROUP >= COOP_SIDE ? e : (start / COOP_SIDE * COOP_SIDE + k) / COOP_SUBGROUP;
            const uint slot_b = (k * COOP_SIDE + start % COOP_SIDE) / COOP_SUBGROUP;
            c.v[e] = fma(subgroupShuffle(a.v[slot_a], in_a % COOP_SUBGROUP), subgroupShuffle(b.v[slot_b], in_b % COOP_SUBGROUP), c.v[e]);
        }
    }
    return c;
}
#define COOP_ZERO coop_zero()
#define COOP_PRODUCT(a, b, c) coop_product(a, b, c)
#define COOP_EACH(row, column, body)                                              \
    for (uint e_ = 0; e_ < COOP_SHARE; ++e_) {                                    \
        const uint i_ = e_ * COOP_SUBGROUP + gl_SubgroupInvocationID;             \
        const uint row = i_ / COOP_SIDE, column = i_ % COOP_SIDE;                 \
        body;                                                                     \
    }
#define COOP_LOAD_A(a, tile, at, pitch) COOP_EACH(m_, k_, a.v[e_] = uintBitsToFloat(tile[(at) + m_ * (pitch) + k_ / 4][k_ % 4]))
#define COOP_LOAD_B(b, tile, at, pitch) COOP_EACH(k_, n_, b.v[e_] = uintBitsToFloat(tile[(at) + n_ * (pitch) + k_ / 4][k_ % 4]))
#define COOP_STORE(c, stage, at, pitch) COOP_EACH(m_, n_, stage[(at) + m_ * (pitch) + n_] = c.v[e_])
#define COOP_STORE_WORDS(c, tile, at, pitch) COOP_EACH(m_, n_, tile[(at) + m_ * (pitch) + n_ / 4][n_ % 4] = floatBitsToUint(c.v[e_]))
#define COOP_LOAD_ROWS(c, numbers, at) COOP_EACH(m_, n_, c.v[e_] = numbers[(at) + m_])
#define COOP_DIVIDE(c, d) for (uint e_ = 0; e_ < COOP_SHARE; ++e_) c.v[e_] /= d.v[e_]

#else
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define COOP_PACK 8
#ifndef HALF_PRODUCTS   // words alone
#extension GL_KHR_memory_scope_semantics : require

#ifdef GL_KHR_cooperative_matrix
#extension GL_KHR_cooperative_matrix : require
#define CoopA coopmat<float16_t, gl_ScopeSubgroup, COOP_SIDE, COOP_SIDE, gl_MatrixUseA>
#define CoopB coopmat<float16_t, gl_ScopeSubgroup, COOP_SIDE, COOP_SIDE, gl_MatrixUseB>
#define CoopC coopmat<float, gl_ScopeSubgroup, COOP_SIDE, COOP_SIDE, gl_MatrixUseAccumulator>
#define COOP_PRODUCT(a, b, c) coopMatMulAdd(a, b, c)
#define COOP_LOAD_A(a, tile, at, pitch) coopMatLoad(a, tile, at, pitch, gl_CooperativeMatrixLayoutRowMajor)
#define COOP_LOAD_B(b, tile, at, pitch) coopMatLoad(b, tile, at, pitch, gl_CooperativeMatrixLayoutColumnMajor)
#define COOP_STORE(c, stage, at, pitch) coopMatStore(c, stage, at, pitch, gl_CooperativeMatrixLayoutRowMajor)
#define COOP_LOAD_ROWS(c, numbers, at) coopMatLoad(c, numbers, at, 0, gl_CooperativeMatrixLayoutColumnMajor)
#else
#extension GL_NV_cooperative_matrix : require
// Sizes by constants of their own keep the types of A and B apart, which the rewriting needs.
layout(constant_id = 100) const uint COOP_M = COOP_SIDE;
layout(constant_id = 101) const uint COOP_N = COOP_SIDE;
layout(constant_id = 102) const uint COOP_K = COOP_SIDE;
#define CoopA fcoopmatNV<16, gl_ScopeSubgroup, COOP_M, COOP_K>
#define CoopB fcoopmatNV<16, gl_ScopeSubgroup, COOP_K, COOP_N>
#define CoopC fcoopmatNV<32, gl_ScopeSubgroup, COOP_M, COOP_N>
#define COOP_PRODUCT(a, b, c) coopMatMulAddNV(a, b, c)
#define COOP_LOAD_A(a, tile, at, pitch) coopMatLoadNV(a, tile, at, pitch, false)
#define COOP_LOAD_B(b, tile, at, pitch) coopMatLoadNV(b, tile, at, pitch, true)
#define COOP_STORE(c, stage, at, pitch) coopMatStoreNV(c, stage, at, pitch, false)
#define COOP_LOAD_ROWS(c, numbers, at) coopMatLoadNV(c, numbers, at, 0, true)
#endif
#define COOP_DIVIDE(c, d) c = c / d
#define COOP_STORE_WORDS COOP_STORE
#define COOP_ZERO CoopC(0.0)
#endif
#endif

// A word of a tile from its elements.
uvec4 coop_words(float x[COOP_PACK]) {
#if COOP_PACK == 8
    return uvec4(packHalf2x16(vec2(x[0], x[1])), packHalf2x16(vec2(x[2], x[3])), packHalf2x16(vec2(x[4], x[5])), packHalf2x16(vec2(x[6], x[7])));
#else
    return floatBitsToUint(vec4(x[0], x[1], x[2], x[3]));
#endif
}
