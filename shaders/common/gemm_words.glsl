// How words of A and B get from memory into a workgroup's tiles of BLOCK_M x BLOCK_N, COOP_PACK elements along k to a word. Tiles go through
// shared memory twice over: while one pair is multiplied, the next is on its way through registers, so that a step of the loop needs one
// barrier.
//
// The including shader defines, COOP_PACK elements along k to a word:
//     A_ALONG_K 1: ARow a_row(uint m)                                       what is known of a row before the loop
//     uvec4 a_load(ARow row, uint k0, uint k, out bool real)   the word at k0 + k; k0 is that of the step, the same in all
//                                                              invocations. Not real: zeros are meant, whatever was read.
//               0: uvec4 a_load(uint k, uint m, out bool real)                         eight halves along m (COOP_PACK 8)
//     B_ALONG_K 1: BColumn b_column(uint n), uvec4 b_load(BColumn column, uint k0, uint k, out bool real)    as for A
//               0: uvec4 b_load(uint k, uint n, out bool real)                         eight halves along n (COOP_PACK 8)
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint BLOCK_M = 128;
layout(constant_id = 2) const uint BLOCK_N = 128;
const uint LANES = gl_WorkGroupSize.x;
const uint BLOCK_K = 32;
const uint WORDS_K = BLOCK_K / COOP_PACK;
const uint PITCH = WORDS_K + 1;          // padded: eight rows of a matrix then lie in different banks
const uint WORDS_A = BLOCK_M * WORDS_K / LANES, WORDS_B = BLOCK_N * WORDS_K / LANES;   // that an invocation loads
const uint TILE_A = BLOCK_M * PITCH, TILE_B = BLOCK_N * PITCH;

shared uvec4 tile_a[2 * TILE_A];
shared uvec4 tile_b[2 * TILE_B];

#ifndef A_ALONG_K
#define A_ALONG_K 1
#endif
#if A_ALONG_K
const uint HELD_A = WORDS_A;
#else
const uint PAIRS_A = (WORDS_A + 1) / 2, HELD_A = 2 * PAIRS_A;
#endif
#if B_ALONG_K
const uint HELD_B = WORDS_B;
#else
const uint PAIRS_B = (WORDS_B + 1) / 2, HELD_B = 2 * PAIRS_B;
#endif

// What an invocation reads for A and B, and the words on their way. (Globals: glslang passes and assigns nothing that holds an
// array whose length is a specialisation constant.)
#if A_ALONG_K
ARow rows_of_a[WORDS_A];
#endif
#if B_ALONG_K
BColumn columns_of_b[WORDS_B];
#endif
uvec4 next_a[HELD_A], next_b[HELD_B];
bool real_a[HELD_A], real_b[HELD_B];

// Which words of the tiles this invocation loads: one place along k, every LANES / WORDS_K-th row.
uint word_k() { return gl_LocalInvocationIndex % WORDS_K; }
uint word_row(uint i) { return gl_LocalInvocationIndex / WORDS_K + i * (LANES / WORDS_K); }
#if !A_ALONG_K || !B_ALONG_K
// Pairs of neighbouring k, eight columns (of A: rows) each; four neighbouring lanes read 64 bytes of a row.
uint pair_column(uint i) {
    const uint at = gl_LocalInvocationIndex + i * LANES;
    return (at % 4 + at / (4 * BLOCK_K / 2) * 4) * 8;
}
uint pair_k(uint i) { return (gl_LocalInvocationIndex + i * LANES) / 4 % (BLOCK_K / 2) * 2; }
// A tile of one word an invocation has pairs for half of them.
bool has_pairs(uint words) { return words > 1 || gl_LocalInvocationIndex < LANES / 2; }
// The e-th of eight columns of a pair, its two halves along k side by side as the matrices want them.
uint turned(uvec4 x, uvec4 y, uint e) {
    return e % 2 == 0 ? (x[e / 2] & 0xffffu) | y[e / 2] << 16 : x[e / 2] >> 16 | (y[e / 2] & 0xffff0000u);
}
#endif

void fetch(uint k0, uint m0, uint n0) {
#if A_ALONG_K
    for (uint i = 0; i < WORDS_A; ++i) next_a[i] = a_load(rows_of_a[i], k0, word_k() * COOP_PACK, real_a[i]);
#else
    if (has_pairs(WORDS_A))
        for (uint i = 0; i < PAIRS_A; ++i)
            for (uint j = 0; j < 2; ++j) next_a[2 * i + j] = a_load(k0 + pair_k(i) + j, m0 + pair_column(i), real_a[2 * i + j]);
#endif
#if B_ALONG_K
    for (uint i = 0; i < WORDS_B; ++i) next_b[i] = b_load(columns_of_b[i], k0, word_k() * COOP_PACK, real_b[i]);
#else
    if (has_pairs(WORDS_B))
        for (uint i = 0; i < PAIRS_B; ++i)
            for (uint j = 0; j < 2; ++j) next_b[2 * i + j] = b_load(k0 + pair_k(i) + j, n0 + pair_column(i), real_b[2 * i + j]);
#endif
}

// The words into one half of the tiles. Zeros come in here, not where the words are loaded: what touches a word waits for it.
void put(uint half_) {
    for (uint i = 0; i < HELD_A; ++i) next_a[i] = real_a[i] ? next_a[i] : uvec4(0);
    for (uint i = 0; i < HELD_B; ++i) next_b[i] = real_b[i] ? next_b[i] : uvec4(0);
#if A_ALONG_K
    for (uint i = 0; i < WORDS_A; ++i) tile_a[half_ * TILE_A + word_row(i) * PITCH + word_k()] = next_a[i];
#else
    if (has_pairs(WORDS_A))
        for (uint i = 0; i < PAIRS_A; ++i)
            for (uint e = 0; e < 8; ++e)
                tile_a[half_ * TILE_A + (pair_column(i) + e) * PITCH + pair_k(i) / 8][pair_k(i) / 2 % 4] = turned(next_a[2 * i], next_a[2 * i + 1], e);
#endif
#if B_ALONG_K
    for (uint i = 0; i < WORDS_B; ++i) tile_b[half_ * TILE_B + word_row(i) * PITCH + word_k()] = next_b[i];
#else
    if (has_pairs(WORDS_B))
        for (uint i = 0; i < PAIRS_B; ++i)
            for (uint e = 0; e < 8; ++e)
                tile_b[half_ * TILE_B + (pair_column(i) + e) * PITCH + pair_k(i) / 8][pair_k(i) / 2 % 4] = turned(next_b[2 * i], next_b[2 * i + 1], e);
#endif
}

// What the invocation loads in each step.
void begin(uint m0, uint n0) {
#if A_ALONG_K
    for (uint i = 0; i < WORDS_A; ++i) rows_of_a[i] = a_row(m0 + word_row(i));
#endif
#if B_ALONG_K
    for (uint i = 0; i < WORDS_B; ++i) columns_of_b[i] = b_column(n0 + word_row(i));
#endif
}
