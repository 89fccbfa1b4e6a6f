// For each part of a picture's pixels and each group of channels: the mean, and the sum of squared deviations from it. Channels last;
// neighbouring invocations take neighbouring channels. Sums are of what values differ from their channel's first one in the part, so
// that large numbers do not cancel (Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample
// Variances", 1979).
#version 460
#include "common/types.glsl"

layout(local_size_x = LANES) in;
layout(constant_id = 0) const uint CHANNELS = 160;   // of a workgroup: whole groups
layout(push_constant, scalar) uniform Push {
    IN0 x;                                           // [N, pixels, C]
    OUT y;                                           // [N, groups, parts, 2]
    uint pixels, C, CG, part;                        // CG channels a group, `part` pixels a part
} p;

shared vec2 moments[CHANNELS];

void main() {
    const uint lane = gl_LocalInvocationID.x, n = gl_WorkGroupID.z, first = gl_WorkGroupID.x * p.part, count = min(p.part, p.pixels - first);
    const uint base = (n * p.pixels + first) * p.C + gl_WorkGroupID.y * CHANNELS;
    for (uint c = lane; c < CHANNELS; c += LANES) {
        const float start = LOAD0(p.x, base + c);
        float sum = 0.0, squares = 0.0;
        for (uint s = 1; s < count; ++s) {
            const float apart = LOAD0(p.x, base + s * p.C + c) - start;
            sum += apart;
            squares = fma(apart, apart, squares);
        }
        moments[c] = vec2(start + sum / float(count), max(squares - sum * sum / float(count), 0.0));
    }
    barrier();
    const uint parts = (p.pixels + p.part - 1) / p.part, groups = CHANNELS / p.CG;
    for (uint g = lane; g < groups; g += LANES) {
        const float start = moments[g * p.CG].x;
        float sum = 0.0, squares = 0.0, within = 0.0;
        for (uint c = 0; c < p.CG; ++c) {
            const vec2 channel = moments[g * p.CG + c];
            const float apart = channel.x - start;
            sum += apart;
            squares = fma(apart, apart, squares);
            within += channel.y;
        }
        const uint at = ((n * (p.C / p.CG) + gl_WorkGroupID.y * groups + g) * parts + gl_WorkGroupID.x) * 2;
        STORE(p.y, at, start + sum / float(p.CG));
        STORE(p.y, at + 1, within + float(count) * max(squares - sum * sum / float(p.CG), 0.0));
    }
}
