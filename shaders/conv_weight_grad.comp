// dw[o, c, t] = sum over pictures n and pixels q of dy[n, q, o] x[n, source(q, t), c]: channels last, dw row-major.
// A workgroup computes 4 x 32 (o, c) of one tap; its rows of lanes share out the rows of pixels and add up in the end.
#version 460
#include "common/types.glsl"
#include "common/math.glsl"

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

layout(local_size_x = 8, local_size_y = 8) in;
layout(push_constant, scalar) uniform Push {
    IN0 x;
    IN1 dy;
    OUT dw;
    uint C, O;                // channels of a group
    uint rows;                // N OD OH
    uint D, H, W;             // of x
    uint OD, OH, OW;          // of dy
} p;

shared float parts[8][8][16];   // row of lanes, column of lanes, element of its 4 x 4

void main() {
    const uint column = gl_LocalInvocationID.x, part = gl_LocalInvocationID.y;
    const uint o_tiles = (p.O + 3) / 4;
    const uint c0 = (gl_WorkGroupID.x * 8 + column) * 4, group = gl_WorkGroupID.y / o_tiles, o0 = gl_WorkGroupID.y % o_tiles * 4;
    const uint tap = gl_WorkGroupID.z, kx = tap % KW, ky = tap / KW % KH, kz = tap / (KW * KH);
    uint in_c[4], in_o[4];
    for (uint i = 0; i < 4; ++i) {   // past the end: compute the last again, store nothing
        in_c[i] = group * p.C + min(c0 + i, p.C - 1);
        in_o[i] = group * p.O + min(o0 + i, p.O - 1);
    }
    float sum[16];
    for (uint e = 0; e < 16; ++e) sum[e] = 0.0;
    if (c0 < p.C) {
        for (uint row = part; row < p.rows; row += 8) {
            const uint oy = row % p.OH, oz = row / p.OH % p.OD, n = row / (p.OH * p.OD);
            const int iy = int(oy) * stride_h + int(ky) * dilation_h - before_h;
            const int iz = int(oz) * stride_d + int(kz) * dilation_d - before_d;
            if (iy < 0 || iy >= int(p.H) || iz < 0 || iz >= int(p.D)) continue;
            const uint row_of_x = ((n * p.D + uint(iz)) * p.H + uint(iy)) * p.W;
            for (uint ox = 0; ox < p.OW; ++ox) {
                const int ix = int(ox) * stride_w + int(kx) * dilation_w - before_w;
                if (ix < 0 || ix >= int(p.W)) continue;
                const uint from_x = (row_of_x + uint(ix)) * groups * p.C, from_dy = (row * p.OW + ox) * groups * p.O;
                float x[4], dy[4];
                for (uint i = 0; i < 4; ++i) x[i] = LOAD0(p.x, from_x + in_c[i]);
                for (uint i = 0; i < 4; ++i) dy[i] = LOAD1(p.dy, from_dy + in_o[i]);
                for (uint i = 0; i < 4; ++i)
                    for (uint j = 0; j < 4; ++j) sum[i * 4 + j] += dy[i] * x[j];
            }
        }
    }
    for (uint e = 0; e < 16; ++e) parts[part][column][e] = sum[e];
    barrier();
    for (uint e = part * 2; e < part * 2 + 2; ++e) {
        float total = 0.0;
        for (uint r = 0; r < 8; ++r) total += parts[r][column][e];
        const uint o = o0 + e / 4, c = c0 + e % 4;
        if (o < p.O && c < p.C) STORE(p.dw, ((group * p.O + o) * p.C + c) * KD * KH * KW + tap, total);
    }
}
