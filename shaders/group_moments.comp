// Puts the parts of group_moments_parts.comp together: for every channel its group's mean and 1 / sqrt(variance + eps). A workgroup
// for each picture and group.
#version 460
#include "common/types.glsl"
#include "common/reduce.glsl"

layout(local_size_x = LANES) in;
layout(push_constant, scalar) uniform Push {
    IN0 x;                       // [N, groups, parts, 2]
    OUT y;                       // [2, N, C]
    uint parts, C, CG;
    uint pixels, part;           // all, and those of a part but the last
    float eps;
} p;

void main() {
    const uint lane = gl_LocalInvocationID.x, g = gl_WorkGroupID.x, n = gl_WorkGroupID.y;
    const uint first = (n * gl_NumWorkGroups.x + g) * p.parts * 2;
    const float start = LOAD0(p.x, first), total = float(p.pixels) * float(p.CG);
    float sum = 0.0;
    for (uint i = lane; i < p.parts; i += LANES) {
        const float count = float(min(p.part, p.pixels - i * p.part)) * float(p.CG);
        sum += count * (LOAD0(p.x, first + 2 * i) - start);
    }
    const float off = workgroup_sum(sum) / total;
    float squares = 0.0;
    for (uint i = lane; i < p.parts; i += LANES) {
        const float count = float(min(p.part, p.pixels - i * p.part)) * float(p.CG), apart = LOAD0(p.x, first + 2 * i) - start - off;
        squares += LOAD0(p.x, first + 2 * i + 1) + count * apart * apart;
    }
    const float scale = inversesqrt(workgroup_sum(squares) / total + p.eps);
    for (uint c = lane; c < p.CG; c += LANES) {
        const uint at = n * p.C + g * p.CG + c;
        STORE(p.y, at, start + off);
        STORE(p.y, gl_NumWorkGroups.y * p.C + at, scale);
    }
}
