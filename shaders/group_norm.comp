// One workgroup per (picture, group): mean, then variance of the centred values, then the result. Channels last. The corrected
// two-pass algorithm (Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983): F32 sums of numbers far from
// zero give a rough mean, and what it is off by is the mean of the numbers centred by it.
#version 460
#include "common/types.glsl"
#include "common/math.glsl"
#include "common/fused.glsl"
#include "common/reduce.glsl"

layout(local_size_x = LANES) in;
layout(push_constant, scalar) uniform Push {
    IN0 x;
    OUT y;
    uint positions, C, CG;
    float eps;
    FUSED_PUSH
} p;

void main() {
    const uint base = gl_WorkGroupID.y * p.positions * p.C + gl_WorkGroupID.x * p.CG, count = p.positions * p.CG;
    float sum = 0.0;
    for (uint s = gl_LocalInvocationID.x; s < p.positions; s += LANES)
        for (uint c = 0; c < p.CG; ++c) sum += LOAD0(p.x, base + s * p.C + c);
    const float rough = workgroup_sum(sum) / float(count);
    float squares = 0.0;
    sum = 0.0;
    for (uint s = gl_LocalInvocationID.x; s < p.positions; s += LANES)
        for (uint c = 0; c < p.CG; ++c) {
            const float centred = LOAD0(p.x, base + s * p.C + c) - rough;
            sum += centred;
            squares += centred * centred;
        }
    const float off = workgroup_sum(sum) / float(count);
    const float variance = max(workgroup_sum(squares) / float(count) - off * off, 0.0);
    const float inv = inversesqrt(variance + p.eps);
    for (uint s = gl_LocalInvocationID.x; s < p.positions; s += LANES)
        for (uint c = 0; c < p.CG; ++c) {
            const uint at = base + s * p.C + c;
            STORE(p.y, at, EPILOGUE((LOAD0(p.x, at) - rough - off) * inv, at));
        }
}
