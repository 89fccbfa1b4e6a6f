// y = softmax(scale q k^T + bias) v in floats, for 64 queries of one head and up to 16 COLUMNS columns of v, over tiles of 64 keys. Both
// products go through shared memory as in common/gemm_tile.glsl: 8 x 4 scores and 8 x COLUMNS sums an invocation.
// Dao, "FlashAttention-2", arXiv:2307.08691.
#version 460
#include "common/types.glsl"
#include "common/vectors.glsl"
#include "common/math.glsl"
#include "common/fused.glsl"
#include "common/attention_push.glsl"
#extension GL_EXT_control_flow_attributes : require

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

#ifdef SHORT_CODE   // for software drivers, which take seconds to compile the whole
#define STEPS [[dont_unroll]]
#else
#define STEPS [[unroll]]
#endif

layout(local_size_x = 128) in;
layout(constant_id = 0) const uint COLUMNS = 4;       // of the result, per invocation
layout(constant_id = 1) const bool CHECKED = true;    // some scores do not count: of keys past the end, hidden ones

#define LOAD_BIAS LOAD3
#include "common/attention_mask.glsl"

const uint LANES = 128, TILE = 64, STEP = 16, ACROSS = 16;   // lanes side by side; each has 4 keys, and every 16th column
const uint PITCH = TILE / 4 + 1, VALUE_PITCH = 4 * COLUMNS + 1, SCRATCH_PITCH = ACROSS / 4 + 1;   // quads, padded against bank conflicts
const uint VALUE_STEP = COLUMNS > 10 ? 8 : 16;               // keys whose values are there at a time
const uint RIGHT = STEP * PITCH, PRODUCT_QUADS = 2 * RIGHT, VALUE_QUADS = VALUE_STEP * VALUE_PITCH;

// In turns: numbers of queries and of keys, [d][row]; the lanes' highest scores, [query][lane]; values, [key][column].
shared vec4 tiles[PRODUCT_QUADS > VALUE_QUADS ? PRODUCT_QUADS : VALUE_QUADS];
shared vec4 weights[TILE * PITCH];   // [key][query]

vec4 query_quad(uint from, uint d) {
#if AXIS0 == 3 && VECTOR0 >= 4
    return d < D ? LOAD4_0(p.q, from + d) : vec4(0);
#else
    vec4 x = vec4(0);
    for (uint e = 0; e < 4; ++e)
        if (d + e < D) x[e] = LOAD0(p.q, from + (d + e) * Q_STEP);
    return x;
#endif
}
vec4 key_quad(uint from, uint d) {
#if AXIS1 == 3 && VECTOR1 >= 4
    return d < D ? LOAD4_1(p.k, from + d) : vec4(0);
#else
    vec4 x = vec4(0);
    for (uint e = 0; e < 4; ++e)
        if (d + e < D) x[e] = LOAD1(p.k, from + (d + e) * K_STEP);
    return x;
#endif
}
vec4 value_quad(uint from, uint column) {
#if AXIS2 == 3 && VECTOR2 >= 4
    return column < DV ? LOAD4_2(p.v, from + column) : vec4(0);
#else
    vec4 x = vec4(0);
    for (uint e = 0; e < 4; ++e)
        if (column + e < DV) x[e] = LOAD2(p.v, from + (column + e) * p.v_d);
    return x;
#endif
}

#define lane gl_LocalInvocationIndex
#define tx (lane % ACROSS)
#define ty (lane / ACROSS)

// s[i] += the products of query 8 ty + i with keys 4 tx to 4 tx + 3.
void add_scores(uint b, uint h, uint query, uint key, inout vec4 s[8]) {
    [[dont_unroll]] for (uint first = 0; first < D; first += STEP) {
        barrier();
        for (uint i = 0; i < 2; ++i) {
            const uint row = lane / 4 + i * (LANES / 4), d = lane % 4 * 4;
            const vec4 x = query_quad(Q_AT(b, h, min(query + row, p.Q - 1)), first + d), y = key_quad(K_AT(b, h, min(key + row, p.K - 1)), first + d);
            for (uint e = 0; e < 4; ++e) {
                tiles[(d + e) * PITCH + row / 4][row % 4] = x[e];
                tiles[RIGHT + (d + e) * PITCH + row / 4][row % 4] = y[e];
            }
        }
        barrier();
        [[dont_unroll]] for (uint d4 = 0; d4 < STEP; d4 += 4)
            STEPS for (uint e4 = 0; e4 < 4; ++e4) {
                const uint d = d4 + e4;
                const vec4 keys = tiles[RIGHT + d * PITCH + tx];
                for (uint r = 0; r < 2; ++r) {
                    const vec4 queries = tiles[d * PITCH + 2 * ty + r];
                    for (uint e = 0; e < 4; ++e) s[4 * r + e] = fma(vec4(queries[e]), keys, s[4 * r + e]);
                }
            }
    }
}

void mask(uint b, uint h, uint query, uint key, inout vec4 s[8]) {
    STEPS for (uint i = 0; i < 8; ++i)
        STEPS for (uint j = 0; j < 4; ++j) {
            const uint row = query + 8 * ty + i, column = key + 4 * tx + j;
            const int ahead = int(column) - int(row);
            bool seen = column < p.K;
            if (p.before >= 0) seen = seen && -ahead <= p.before;
            if (p.after >= 0) seen = seen && ahead <= p.after;
#ifdef HAS_BIAS
            s[i][j] += max(bias_at(b, h, min(row, p.Q - 1), min(column, p.K - 1)), HIDDEN);
#endif
            s[i][j] = seen ? s[i][j] : HIDDEN;
        }
}

// One number of each lane for each of its rows, of which all lanes of a row get the whole.
#define OVER_ROW(MINE, COMBINE, WHOLE)                                                                   \
    barrier();                                                                                           \
    for (uint i = 0; i < 8; ++i) tiles[(8 * ty + i) * SCRATCH_PITCH + tx / 4][tx % 4] = MINE;            \
    barrier();                                                                                           \
    STEPS for (uint i = 0; i < 8; ++i)                                                                   \
        for (uint t = 0; t < ACROSS / 4; ++t) {                                                          \
            const vec4 x = tiles[(8 * ty + i) * SCRATCH_PITCH + t];                                      \
            for (uint e = 0; e < 4; ++e) WHOLE = COMBINE(WHOLE, x[e]);                                   \
        }

float plus(float a, float b) { return a + b; }

void main() {
    const uint chunks = (DV + ACROSS * COLUMNS - 1) / (ACROSS * COLUMNS);
    const uint query = gl_WorkGroupID.x / chunks * TILE, first_column = gl_WorkGroupID.x % chunks * ACROSS * COLUMNS;
    const uint h = gl_WorkGroupID.y, b = gl_WorkGroupID.z;
    vec4 sum[COLUMNS][2];   // of four rows
    float most[8], total[8];
    for (uint i = 0; i < 8; ++i) {
        most[i] = HIDDEN;
        total[i] = 0.0;
    }
    for (uint c = 0; c < COLUMNS; ++c)
        for (uint r = 0; r < 2; ++r) sum[c][r] = vec4(0);

    const uvec2 seen = visible_keys(query, min(TILE, p.Q - query));
    [[dont_unroll]] for (uint key = seen.x; key < seen.y; key += TILE) {
        vec4 s[8];
        for (uint i = 0; i < 8; ++i) s[i] = vec4(0);
        add_scores(b, h, query, key, s);
        for (uint i = 0; i < 8; ++i) s[i] *= p.scale;
        if (CHECKED) mask(b, h, query, key, s);

        float high[8];
        for (uint i = 0; i < 8; ++i) high[i] = most[i];
        OVER_ROW(max(max(s[i].x, s[i].y), max(s[i].z, s[i].w)), max, high[i])
        vec4 shrink[2];
        STEPS for (uint i = 0; i < 8; ++i) {
            const float less = exp(most[i] - high[i]);
            most[i] = high[i];
            shrink[i / 4][i % 4] = less;
            for (uint j = 0; j < 4; ++j) s[i][j] = s[i][j] > 0.5 * HIDDEN ? exp(s[i][j] - high[i]) : 0.0;
            total[i] = total[i] * less + (s[i].x + s[i].y) + (s[i].z + s[i].w);
        }
        for (uint j = 0; j < 4; ++j)
            for (uint r = 0; r < 2; ++r)
                weights[(4 * tx + j) * PITCH + 2 * ty + r] = vec4(s[4 * r][j], s[4 * r + 1][j], s[4 * r + 2][j], s[4 * r + 3][j]);
        for (uint c = 0; c < COLUMNS; ++c)
            for (uint r = 0; r < 2; ++r) sum[c][r] *= shrink[r];

        const uint from = b * p.v_b + h / GROUP * p.v_h;
        [[dont_unroll]] for (uint t = 0; t < min(TILE, seen.y - key); t += VALUE_STEP) {
            barrier();
            for (uint e = lane; e < VALUE_STEP * 4 * COLUMNS; e += LANES) {
                const uint row = e / (4 * COLUMNS), quad = e % (4 * COLUMNS);
                tiles[row * VALUE_PITCH + quad] = value_quad(from + min(key + t + row, p.K - 1) * p.v_t, first_column + 4 * quad);
            }
            barrier();
            [[dont_unroll]] for (uint row4 = 0; row4 < VALUE_STEP; row4 += 4)
                STEPS for (uint r4 = 0; r4 < 4; ++r4) {
                    const uint row = row4 + r4;
                    const vec4 w0 = weights[(t + row) * PITCH + 2 * ty], w1 = weights[(t + row) * PITCH + 2 * ty + 1];
                    for (uint c = 0; c < COLUMNS; ++c) {
                        const vec4 value = vec4(tiles[row * VALUE_PITCH + (tx + ACROSS * c) / 4][tx % 4]);
                        sum[c][0] = fma(w0, value, sum[c][0]);
                        sum[c][1] = fma(w1, value, sum[c][1]);
                    }
                }
        }
    }

    float whole[8];
    for (uint i = 0; i < 8; ++i) whole[i] = 0.0;
    OVER_ROW(total[i], plus, whole[i])
    STEPS for (uint i = 0; i < 8; ++i)
        STEPS for (uint c = 0; c < COLUMNS; ++c) {
            const uint row = query + 8 * ty + i, column = first_column + tx + ACROSS * c;
            if (row >= p.Q || column >= DV) continue;
            const uint at = ((b * p.Q + row) * gl_NumWorkGroups.y + h) * DV + column;
            STORE(p.y, at, EPILOGUE(whole[i] > 0.0 ? sum[c][i / 4][i % 4] / whole[i] : 0.0, at));
        }
}
