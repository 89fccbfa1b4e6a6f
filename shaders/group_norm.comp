// One workgroup per (picture, group): mean, then variance of the centred values, then the result. Channels last.
#version 460
#include "common/types.glsl"
#include "common/math.glsl"
#include "common/epilogue.glsl"
#include "common/reduce.glsl"

layout(local_size_x = LANES) in;
layout(push_constant, scalar) uniform Push {
    IN0 x;
    OUT y;
    uint positions, C, CG;
    float eps;
    EPILOGUE_PUSH
} p;

uint index_of(uint e) {
    return (gl_WorkGroupID.y * p.positions + e / p.CG) * p.C + gl_WorkGroupID.x * p.CG + e % p.CG;
}

void main() {
    const uint count = p.positions * p.CG;
    float sum = 0.0;
    for (uint e = gl_LocalInvocationID.x; e < count; e += LANES) sum += LOAD0(p.x, index_of(e));
    const float mean = workgroup_sum(sum) / float(count);
    sum = 0.0;
    for (uint e = gl_LocalInvocationID.x; e < count; e += LANES) {
        const float centred = LOAD0(p.x, index_of(e)) - mean;
        sum += centred * centred;
    }
    const float inv = inversesqrt(workgroup_sum(sum) / float(count) + p.eps);
    for (uint e = gl_LocalInvocationID.x; e < count; e += LANES) {
        const uint at = index_of(e);
        STORE(p.y, at, EPILOGUE((LOAD0(p.x, at) - mean) * inv, at));
    }
}
