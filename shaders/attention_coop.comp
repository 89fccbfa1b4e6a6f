// y = softmax(scale q k^T + bias) v by subgroups' matrices (common/coopmat.glsl), tile after tile of keys; a subgroup keeps its
// queries and its sums in registers. Dao, "FlashAttention-2", arXiv:2307.08691.
#version 460
#include "common/types.glsl"
#include "common/vectors.glsl"
#include "common/coopmat.glsl"
#include "common/math.glsl"
#include "common/fused.glsl"
#include "common/attention_push.glsl"
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#extension GL_EXT_control_flow_attributes : require

#ifdef COOP_SUBGROUP
#define MATRICES [[dont_unroll]]   // a product of two is hundreds of instructions there
#else
#define MATRICES [[unroll]]
#endif

layout(push_constant, scalar) uniform Push {
    IN0 q;
    IN1 k;
    IN2 v;
#ifdef HAS_BIAS
    IN3 bias;                         // row-major
#endif
    OUT y;                            // [B, Q, H, DV]
    ATTENTION_SIZES
    uint q_b, q_h, q_t, q_d;          // strides
    uint k_b, k_h, k_t, k_d;
    uint v_b, v_h, v_t, v_d;
    FUSED_PUSH
} p;

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint SUBGROUP = 32;   // lanes of one
layout(constant_id = 2) const uint TILE = 64;       // keys
layout(constant_id = 3) const uint PARTS = 1;       // matrices of queries that a subgroup has
layout(constant_id = 4) const uint WIDTH = 4;       // matrices that D takes
layout(constant_id = 5) const uint VALUES = 4;      // matrices of columns of v that a workgroup computes
layout(constant_id = 6) const bool CHECKED = true;  // some scores do not count: of keys past the end, hidden ones
layout(constant_id = 7) const bool D_TAIL = true;   // D is no multiple of 16
layout(constant_id = 8) const bool HELD = true;     // a subgroup keeps its queries in registers, else they stay in shared memory

#define LOAD_BIAS LOAD3
#include "common/attention_mask.glsl"

const uint LANES = gl_WorkGroupSize.x;
const uint ROWS = COOP_SIDE * PARTS, BLOCK = LANES / SUBGROUP * ROWS;   // queries of a subgroup, of the workgroup
const uint WORDS = WIDTH * COOP_SIDE / COOP_PACK, PITCH = WORDS + 1;    // of a query or key; padded against bank conflicts
const uint TILE_PITCH = TILE / COOP_PACK + 1, SCORE_PITCH = TILE / 4 + 1;
// A row of scores is the work of ROW_LANES neighbouring lanes, COLUMNS each; a subgroup does ROWS / SOFTMAX_ROWS at a time.
const uint ROW_LANES = SUBGROUP > COOP_SIDE ? SUBGROUP / COOP_SIDE : 1, COLUMNS = TILE / ROW_LANES;
const uint SOFTMAX_ROWS = SUBGROUP / ROW_LANES, SOFTMAX_STEPS = ROWS / SOFTMAX_ROWS;

shared uvec4 key_tile[TILE * PITCH];                          // [key][D]
shared uvec4 value_tile[VALUES * COOP_SIDE * TILE_PITCH];     // [column][key]
shared uvec4 scores[BLOCK * SCORE_PITCH];                     // [query][key]: floats, then in their place weights
shared uvec4 query_tile[HELD ? 1 : BLOCK * PITCH];            // [query][D]
shared float factors[BLOCK];

// Which word of a tile of keys (or queries) is an invocation's i-th; the last round may have too many.
const uint KEY_WORDS = (TILE * WORDS + LANES - 1) / LANES;
uint word_at(uint i) { return gl_LocalInvocationIndex + i * LANES; }

uvec4 next_keys[KEY_WORDS];

uvec4 query_word(uint from, uint word) {   // of the query that starts at `from`
    const uint d = word * COOP_PACK;
#if AXIS0 == 3 && COOP_PACK == 8 && defined(WORDS8_0)
    const uvec4 x = WORDS8_0(p.q, from + min(d, D - 8));
    return D_TAIL && d >= D ? uvec4(0) : x;
#else
    float x[COOP_PACK];
    for (uint e = 0; e < COOP_PACK; ++e) x[e] = d + e < D ? LOAD0(p.q, from + (d + e) * Q_STEP) : 0.0;
    return coop_words(x);
#endif
}

uvec4 key_word(uint from, uint word) {
    const uint d = word * COOP_PACK;
#if AXIS1 == 3 && COOP_PACK == 8 && defined(WORDS8_1)
    return WORDS8_1(p.k, from + min(d, D - 8));   // past the end it meets zeros of the query
#else
    float x[COOP_PACK];
    for (uint e = 0; e < COOP_PACK; ++e) x[e] = d + e < D ? LOAD1(p.k, from + (d + e) * K_STEP) : 0.0;
    return coop_words(x);
#endif
}

void fetch_keys(uint b, uint h, uint key) {
    for (uint i = 0; i < KEY_WORDS; ++i)
        next_keys[i] = key_word(K_AT(b, h, min(key + word_at(i) / WORDS, p.K - 1)), word_at(i) % WORDS);
}
void put_keys() {
    for (uint i = 0; i < KEY_WORDS; ++i)
        if ((TILE * WORDS) % LANES == 0 || word_at(i) < TILE * WORDS) key_tile[word_at(i) / WORDS * PITCH + word_at(i) % WORDS] = next_keys[i];
}

#if AXIS2 == 3 && COOP_PACK == 8 && defined(WORDS8_2)
// Two neighbouring keys of eight columns at a time, turned on the way: neighbouring keys then lie side by side.
const uint VALUE_PAIRS = (TILE * VALUES + LANES - 1) / LANES;
uvec4 next_values[2 * VALUE_PAIRS];
uint pair_column(uint i) { return (word_at(i) % 2 + word_at(i) / TILE * 2) * 8; }
uint pair_key(uint i) { return word_at(i) / 2 % (TILE / 2) * 2; }

void fetch_values(uint from, uint key, uint column) {
    for (uint i = 0; i < VALUE_PAIRS; ++i)
        for (uint j = 0; j < 2; ++j)
            next_values[2 * i + j] = WORDS8_2(p.v, from + min(key + pair_key(i) + j, p.K - 1) * p.v_t + min(column + pair_column(i), DV - 8));
}
void put_values() {
    for (uint i = 0; i < VALUE_PAIRS; ++i)
        if ((TILE * VALUES) % LANES == 0 || word_at(i) < TILE * VALUES)
            for (uint e = 0; e < 8; ++e) {
                const uint x = next_values[2 * i][e / 2], y = next_values[2 * i + 1][e / 2];
                const uint both = e % 2 == 0 ? (x & 0xffffu) | y << 16 : x >> 16 | (y & 0xffff0000u);
                value_tile[(pair_column(i) + e) * TILE_PITCH + pair_key(i) / 8][pair_key(i) / 2 % 4] = both;
            }
}
#else
const uint KEYS_WORDS = TILE / COOP_PACK, VALUE_WORDS = (VALUES * COOP_SIDE * KEYS_WORDS + LANES - 1) / LANES;
uvec4 next_values[VALUE_WORDS];
uint value_column(uint i) { return word_at(i) % (VALUES * COOP_SIDE); }
uint value_key(uint i) { return word_at(i) / (VALUES * COOP_SIDE) * COOP_PACK; }

void fetch_values(uint from, uint key, uint column) {
    for (uint i = 0; i < VALUE_WORDS; ++i) {
        const uint at = from + min(column + value_column(i), DV - 1) * p.v_d;
        float x[COOP_PACK];
        for (uint e = 0; e < COOP_PACK; ++e) x[e] = LOAD2(p.v, at + min(key + value_key(i) + e, p.K - 1) * p.v_t);
        next_values[i] = coop_words(x);
    }
}
void put_values() {
    for (uint i = 0; i < VALUE_WORDS; ++i)
        if ((VALUES * COOP_SIDE * KEYS_WORDS) % LANES == 0 || word_at(i) < VALUES * COOP_SIDE * KEYS_WORDS)
            value_tile[value_column(i) * TILE_PITCH + value_key(i) / COOP_PACK] = next_values[i];
}
#endif

void subgroup_barrier() {
    subgroupMemoryBarrierShared();
    subgroupBarrier();
}

// A score in units of log 2, so that its exponential is one instruction.
const float LOG2_E = 1.4426950408889634;
float score(uint b, uint h, uint query, uint key, float product) {
    float x = product * (p.scale * LOG2_E);
    if (!CHECKED) return x;
#ifdef HAS_BIAS
    x += max(bias_at(b, h, min(query, p.Q - 1), min(key, p.K - 1)), HIDDEN) * LOG2_E;
#endif
    const int ahead = int(key) - int(query);
    bool seen = key < p.K;
    if (p.before >= 0) seen = seen && -ahead <= p.before;
    if (p.after >= 0) seen = seen && ahead <= p.after;
    return seen ? x : HIDDEN;
}

float most[SOFTMAX_STEPS], total[SOFTMAX_STEPS];   // per row of this lane: the largest score, the lane's share of the sum

// The subgroup's scores become weights relative to the largest so far; earlier sums are then to be divided by factors[].
void online_softmax(uint b, uint h, uint query, uint first, uint key) {
    for (uint s = 0; s < SOFTMAX_STEPS; ++s) {
        const uint row = first + s * SOFTMAX_ROWS + gl_SubgroupInvocationID / ROW_LANES;
        const uint column = gl_SubgroupInvocationID % ROW_LANES * COLUMNS;
        float x[COLUMNS], high = most[s];
        for (uint c = 0; c < COLUMNS; c += 4) {
            const vec4 products = uintBitsToFloat(scores[row * SCORE_PITCH + (column + c) / 4]);
            for (uint e = 0; e < 4; ++e) {
                x[c + e] = score(b, h, query + row, key + column + c + e, products[e]);
                high = max(high, x[c + e]);
            }
        }
        for (uint d = 1; d < ROW_LANES; d *= 2) high = max(high, subgroupShuffleXor(high, d));
        const float factor = exp2(most[s] - high);
        if (column == 0) factors[row] = exp2(high - most[s]);
        most[s] = high;
        float sum = 0.0;
        for (uint c = 0; c < COLUMNS; ++c) {
            x[c] = !CHECKED || x[c] > 0.5 * HIDDEN ? exp2(x[c] - high) : 0.0;
            sum += x[c];
        }
        total[s] = total[s] * factor + sum;
        subgroup_barrier();   // other lanes have read their part of the row
        for (uint c = 0; c < COLUMNS; c += COOP_PACK) {
            float word[COOP_PACK];
            for (uint e = 0; e < COOP_PACK; ++e) word[e] = x[c + e];
            scores[row * SCORE_PITCH + (column + c) / COOP_PACK] = coop_words(word);
        }
    }
}

void main() {
    const uint chunks = (DV + COOP_SIDE * VALUES - 1) / (COOP_SIDE * VALUES);
    const uint query = gl_WorkGroupID.x / chunks * BLOCK, h = gl_WorkGroupID.y, b = gl_WorkGroupID.z;
    const uint column = gl_WorkGroupID.x % chunks * (COOP_SIDE * VALUES), first = gl_SubgroupID * ROWS;
    const uint values = b * p.v_b + h / GROUP * p.v_h;

    CoopA queries[PARTS][WIDTH];
    if (HELD) {   // by way of the keys' tile
        for (uint start = 0; start < BLOCK; start += TILE) {
            for (uint i = 0; i < KEY_WORDS; ++i)
                if ((TILE * WORDS) % LANES == 0 || word_at(i) < TILE * WORDS)
                    key_tile[word_at(i) / WORDS * PITCH + word_at(i) % WORDS] =
                        query_word(Q_AT(b, h, min(query + start + word_at(i) / WORDS, p.Q - 1)), word_at(i) % WORDS);
            barrier();
            if (first >= start && first < start + TILE)
                [[unroll]] for (uint i = 0; i < PARTS; ++i)
                    [[unroll]] for (uint d = 0; d < WIDTH; ++d)
                        COOP_LOAD_A(queries[i][d], key_tile, (first - start + i * COOP_SIDE) * PITCH + d * COOP_SIDE / COOP_PACK, PITCH);
            barrier();
        }
    } else {
        [[dont_unroll]] for (uint e = gl_LocalInvocationIndex; e < BLOCK * WORDS; e += LANES)
            query_tile[e / WORDS * PITCH + e % WORDS] = query_word(Q_AT(b, h, min(query + e / WORDS, p.Q - 1)), e % WORDS);
    }

    CoopC sums[PARTS][VALUES];
    [[unroll]] for (uint i = 0; i < PARTS; ++i)
        [[unroll]] for (uint j = 0; j < VALUES; ++j) sums[i][j] = COOP_ZERO;
    for (uint s = 0; s < SOFTMAX_STEPS; ++s) {
        most[s] = HIDDEN;
        total[s] = 0.0;
    }

    const uvec2 keys = visible_keys(query, min(BLOCK, p.Q - query));
    if (keys.x < keys.y) {
        fetch_keys(b, h, keys.x);
        fetch_values(values, keys.x, column);
    }
    for (uint key = keys.x; key < keys.y; key += TILE) {
        put_keys();
        put_values();
        barrier();
        if (key + TILE < keys.y) {   // on their way while this tile is multiplied
            fetch_keys(b, h, key + TILE);
            fetch_values(values, key + TILE, column);
        }
        if (HELD) {
            MATRICES for (uint j = 0; j < TILE / COOP_SIDE; ++j) {
                CoopC s[PARTS];
                [[unroll]] for (uint i = 0; i < PARTS; ++i) s[i] = COOP_ZERO;
                [[unroll]] for (uint d = 0; d < WIDTH; ++d) {
                    CoopB k;
                    COOP_LOAD_B(k, key_tile, j * COOP_SIDE * PITCH + d * COOP_SIDE / COOP_PACK, PITCH);
                    [[unroll]] for (uint i = 0; i < PARTS; ++i) s[i] = COOP_PRODUCT(queries[i][d], k, s[i]);
                }
                [[unroll]] for (uint i = 0; i < PARTS; ++i)
                    COOP_STORE_WORDS(s[i], scores, (first + i * COOP_SIDE) * SCORE_PITCH + j * COOP_SIDE / 4, SCORE_PITCH);
            }
        } else {
            CoopC s[PARTS][TILE / COOP_SIDE];
            [[unroll]] for (uint i = 0; i < PARTS; ++i)
                [[unroll]] for (uint j = 0; j < TILE / COOP_SIDE; ++j) s[i][j] = COOP_ZERO;
            MATRICES for (uint d = 0; d < WIDTH; ++d) {
                CoopA q[PARTS];
                [[unroll]] for (uint i = 0; i < PARTS; ++i)
                    COOP_LOAD_A(q[i], query_tile, (first + i * COOP_SIDE) * PITCH + d * COOP_SIDE / COOP_PACK, PITCH);
                [[unroll]] for (uint j = 0; j < TILE / COOP_SIDE; ++j) {
                    CoopB k;
                    COOP_LOAD_B(k, key_tile, j * COOP_SIDE * PITCH + d * COOP_SIDE / COOP_PACK, PITCH);
                    [[unroll]] for (uint i = 0; i < PARTS; ++i) s[i][j] = COOP_PRODUCT(q[i], k, s[i][j]);
                }
            }
            [[unroll]] for (uint i = 0; i < PARTS; ++i)
                [[unroll]] for (uint j = 0; j < TILE / COOP_SIDE; ++j)
                    COOP_STORE_WORDS(s[i][j], scores, (first + i * COOP_SIDE) * SCORE_PITCH + j * COOP_SIDE / 4, SCORE_PITCH);
        }
        subgroup_barrier();
        online_softmax(b, h, query, first, key);
        subgroup_barrier();
        [[unroll]] for (uint i = 0; i < PARTS; ++i) {
            CoopC shrink;
            COOP_LOAD_ROWS(shrink, factors, first + i * COOP_SIDE);
            [[unroll]] for (uint j = 0; j < VALUES; ++j) { COOP_DIVIDE(sums[i][j], shrink); }
        }
        MATRICES for (uint t = 0; t < TILE / COOP_SIDE; ++t) {
            CoopA w[PARTS];
            [[unroll]] for (uint i = 0; i < PARTS; ++i)
                COOP_LOAD_A(w[i], scores, (first + i * COOP_SIDE) * SCORE_PITCH + t * COOP_SIDE / COOP_PACK, SCORE_PITCH);
            [[unroll]] for (uint j = 0; j < VALUES; ++j) {
                CoopB v;
                COOP_LOAD_B(v, value_tile, j * COOP_SIDE * TILE_PITCH + t * COOP_SIDE / COOP_PACK, TILE_PITCH);
                [[unroll]] for (uint i = 0; i < PARTS; ++i) sums[i][j] = COOP_PRODUCT(w[i], v, sums[i][j]);
            }
        }
        barrier();
    }

    for (uint s = 0; s < SOFTMAX_STEPS; ++s) {
        for (uint d = 1; d < ROW_LANES; d *= 2) total[s] += subgroupShuffleXor(total[s], d);
        if (gl_SubgroupInvocationID % ROW_LANES == 0)
            factors[first + s * SOFTMAX_ROWS + gl_SubgroupInvocationID / ROW_LANES] = total[s] > 0.0 ? 1.0 / total[s] : 0.0;
    }
    // One matrix at a time, so that each element meets its epilogue with its index known.
    [[unroll]] for (uint i = 0; i < PARTS; ++i)
        [[unroll]] for (uint j = 0; j < VALUES; ++j) {
            subgroup_barrier();
            COOP_STORE_WORDS(sums[i][j], scores, first * SCORE_PITCH, COOP_SIDE / 4);
            subgroup_barrier();
            for (uint e = gl_SubgroupInvocationID; e < COOP_SIDE * COOP_SIDE; e += SUBGROUP) {
                const uint m = first + i * COOP_SIDE + e / COOP_SIDE, n = column + j * COOP_SIDE + e % COOP_SIDE;
                if (query + m >= p.Q || n >= DV) continue;
                const uint at = ((b * p.Q + query + m) * gl_NumWorkGroups.y + h) * DV + n;
                STORE(p.y, at, EPILOGUE(uintBitsToFloat(scores[first * SCORE_PITCH + e / 4][e % 4]) * factors[m], at));
            }
        }
}
