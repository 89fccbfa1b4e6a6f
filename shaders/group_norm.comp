// One workgroup per (picture, group): mean, then variance of the centred values, then the result. Channels last.
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
    const float mean = workgroup_sum(sum) / float(count);
    sum = 0.0;
    for (uint s = gl_LocalInvocationID.x; s < p.positions; s += LANES)
        for (uint c = 0; c < p.CG; ++c) {
            const float centred = LOAD0(p.x, base + s * p.C + c) - mean;
            sum += centred * centred;
        }
    const float inv = inversesqrt(workgroup_sum(sum) / float(count) + p.eps);
    for (uint s = gl_LocalInvocationID.x; s < p.positions; s += LANES)
        for (uint c = 0; c < p.CG; ++c) {
            const uint at = base + s * p.C + c;
            STORE(p.y, at, EPILOGUE((LOAD0(p.x, at) - mean) * inv, at));
        }
}
