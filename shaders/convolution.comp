// y[n, q, j] = sum over taps t and channels i of one group of x[n, source(q, t), i] w[t, i, j]: channels last, up to three
// spatial axes, zeros around. TRANSPOSED makes it the adjoint, which walks over the map and gathers from the result.
// An invocation computes 4 neighbouring pixels of BLOCK channels.
#version 460
#include "common/types.glsl"
#include "common/math.glsl"
#include "common/fused.glsl"

layout(constant_id = 0) const uint KD = 1;
layout(constant_id = 1) const uint KH = 1;
layout(constant_id = 2) const uint KW = 1;
layout(constant_id = 3) const int stride_d = 1;
layout(constant_id = 4) const int stride_h = 1;
layout(constant_id = 5) const int stride_w = 1;
layout(constant_id = 6) const int dilation_d = 1;
layout(constant_id = 7) const int dilation_h = 1;
layout(constant_id = 8) const int dilation_w = 1;
layout(constant_id = 9) const int before_d = 0;
layout(constant_id = 10) const int before_h = 0;
layout(constant_id = 11) const int before_w = 0;
layout(constant_id = 12) const uint groups = 1;

layout(local_size_x = 16, local_size_y = 4) in;
layout(push_constant, scalar) uniform Push {
    IN0 x;
    IN1 w;
    OUT y;
    uint C, O;                // channels of a group: gathered, computed
    uint D, H, W;             // gathered from
    uint OD, OH, OW;          // computed
    uint quads;               // groups of 4 pixels in a row
    FUSED_PUSH
} p;

// Where tap k of element o lies, or -1.
int source(uint o, uint k, int stride, int dilation, int before, uint length) {
#ifdef TRANSPOSED
    const int reach = int(o) + before - int(k) * dilation;
    if (reach < 0 || reach % stride != 0) return -1;
    const int at = reach / stride;
#else
    const int at = int(o) * stride + int(k) * dilation - before;
#endif
    return at >= 0 && at < int(length) ? at : -1;
}

// Weights lie as the lanes want them, w[tap, gathered channel, computed channel]; those in blocks lie as they come, OIHW.
uint weight_at(uint tap, uint group, uint c, uint o) {
#ifdef TRANSPOSED
    const uint row = group * p.C + c, column = o, columns = p.O, rows = groups * p.C;   // O, C / groups
#else
    const uint row = group * p.O + o, column = c, columns = p.C, rows = groups * p.O;
#endif
#ifdef WEIGHTS_OIHW
    return (row * columns + column) * KD * KH * KW + tap;
#elif defined(TRANSPOSED)
    return (tap * rows + row) * columns + column;
#else
    return (tap * columns + column) * rows + row;
#endif
}

void main() {
    const uint blocks = (p.O + BLOCK - 1) / BLOCK;
    const uint block = gl_GlobalInvocationID.x, group = block / blocks;
    const uint quad = (gl_WorkGroupID.z * gl_NumWorkGroups.y + gl_WorkGroupID.y) * 4 + gl_LocalInvocationID.y;
    if (group >= groups || quad >= p.quads) return;
    const uint o0 = block % blocks * BLOCK;
    const uint quads_of_row = (p.OW + 3) / 4;
    const uint row = quad / quads_of_row, ox0 = quad % quads_of_row * 4;
    const uint oy = row % p.OH, oz = row / p.OH % p.OD, n = row / (p.OH * p.OD);
    uint channel[BLOCK];
    for (uint j = 0; j < BLOCK; ++j) channel[j] = min(o0 + j, p.O - 1);   // past the end: compute the last again

    float sum[4][BLOCK];
    for (uint i = 0; i < 4; ++i)
        for (uint j = 0; j < BLOCK; ++j) sum[i][j] = 0.0;
    for (uint kz = 0; kz < KD; ++kz) {
        const int iz = source(oz, kz, stride_d, dilation_d, before_d, p.D);
        if (iz < 0) continue;
        for (uint ky = 0; ky < KH; ++ky) {
            const int iy = source(oy, ky, stride_h, dilation_h, before_h, p.H);
            if (iy < 0) continue;
            for (uint kx = 0; kx < KW; ++kx) {
                uint from[4];
                float inside[4];
                for (uint i = 0; i < 4; ++i) {
                    const int ix = source(ox0 + i, kx, stride_w, dilation_w, before_w, p.W);
                    inside[i] = ix >= 0 ? 1.0 : 0.0;
                    from[i] = (((n * p.D + uint(iz)) * p.H + uint(iy)) * p.W + uint(max(ix, 0))) * groups * p.C + group * p.C;
                }
                const uint tap = (kz * KH + ky) * KW + kx;
                for (uint c = 0; c < p.C; ++c) {
                    float w[BLOCK];
                    for (uint j = 0; j < BLOCK; ++j) w[j] = LOAD1(p.w, weight_at(tap, group, c, channel[j]));
                    for (uint i = 0; i < 4; ++i) {
                        const float x = LOAD0(p.x, from[i] + c) * inside[i];
                        for (uint j = 0; j < BLOCK; ++j) sum[i][j] += x * w[j];
                    }
                }
            }
        }
    }
    for (uint i = 0; i < 4; ++i)
        for (uint j = 0; j < BLOCK; ++j)
            if (ox0 + i < p.OW && o0 + j < p.O) {
                const uint at = ((row * p.OW + ox0 + i) * groups + group) * p.O + o0 + j;
                STORE(p.y, at, EPILOGUE(sum[i][j], at));
            }
}
