// y[n, oy, ox, o] = sum over taps and channels of x[n, ., ., c] w[ky, kx, c, o]: channels last, weights HWIO, zero padding.
// An invocation computes 4 neighbouring pixels of BLOCK channels.
#version 460
#include "common/types.glsl"
#include "common/math.glsl"
#include "common/epilogue.glsl"

layout(local_size_x = 16, local_size_y = 4) in;
layout(push_constant, scalar) uniform Push {
    IN0 x;
    IN1 w;
    OUT y;
    uint C, H, W;             // input
    uint O, OH, OW;           // output
    uint KH, KW, CG;          // kernel, input channels of a group
    uint stride, pad, dilation, groups;
    EPILOGUE_PUSH
} p;

// Weights lie as the lanes want them; those in blocks lie as they come, OIHW.
#ifdef WEIGHTS_OIHW
#define WEIGHT(tap, c, o) LOAD1(p.w, ((o) * p.CG + (c)) * p.KH * p.KW + (tap))
#else
#define WEIGHT(tap, c, o) LOAD1(p.w, ((tap) * p.CG + (c)) * p.O + (o))
#endif

void main() {
    const uint o0 = gl_GlobalInvocationID.x * BLOCK;
    const uint ox0 = gl_GlobalInvocationID.y * 4;
    const uint n = gl_WorkGroupID.z / p.OH, oy = gl_WorkGroupID.z % p.OH;
    if (o0 >= p.O || ox0 >= p.OW) return;
    const uint group = o0 / (p.O / p.groups);
    uint channel[BLOCK];
    for (uint j = 0; j < BLOCK; ++j) channel[j] = min(o0 + j, p.O - 1);

    float sum[4][BLOCK];
    for (uint i = 0; i < 4; ++i)
        for (uint j = 0; j < BLOCK; ++j) sum[i][j] = 0.0;
    for (uint ky = 0; ky < p.KH; ++ky) {
        const int iy = int(oy * p.stride + ky * p.dilation) - int(p.pad);
        if (iy < 0 || iy >= int(p.H)) continue;
        for (uint kx = 0; kx < p.KW; ++kx) {
            uint from[4];
            float inside[4];
            for (uint i = 0; i < 4; ++i) {
                const int ix = int((ox0 + i) * p.stride + kx * p.dilation) - int(p.pad);
                inside[i] = ix >= 0 && ix < int(p.W) ? 1.0 : 0.0;
                from[i] = ((n * p.H + uint(iy)) * p.W + uint(clamp(ix, 0, int(p.W) - 1))) * p.C + group * p.CG;
            }
            const uint tap = ky * p.KW + kx;
            for (uint c = 0; c < p.CG; ++c) {
                float w[BLOCK];
                for (uint j = 0; j < BLOCK; ++j) w[j] = WEIGHT(tap, c, channel[j]);
                for (uint i = 0; i < 4; ++i) {
                    const float x = LOAD0(p.x, from[i] + c) * inside[i];
                    for (uint j = 0; j < BLOCK; ++j) sum[i][j] += x * w[j];
                }
            }
        }
    }
    for (uint i = 0; i < 4; ++i)
        for (uint j = 0; j < BLOCK; ++j)
            if (ox0 + i < p.OW && o0 + j < p.O) {
                const uint at = ((n * p.OH + oy) * p.OW + ox0 + i) * p.O + o0 + j;
                STORE(p.y, at, EPILOGUE(sum[i][j], at));
            }
}
