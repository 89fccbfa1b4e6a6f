// y[outer, i, inner] = sum over t of weight[i, t] x[outer, start[i] + t, inner].
#version 460
#include "common/types.glsl"

layout(local_size_x = LANES) in;
layout(push_constant, scalar) uniform Push {
    IN0 x;
    IN1 start;
    IN2 weight;
    OUT y;
    uint inner, in_length, out_length, taps;
} p;

void main() {
    const uint outer = gl_WorkGroupID.y, row = p.out_length * p.inner;
    const uint first = gl_WorkGroupID.x * BLOCK, last = min(first + BLOCK, row);
    for (uint e = first + gl_LocalInvocationID.x; e < last; e += LANES) {
        const uint i = e / p.inner, k = e % p.inner;
        const uint from = (outer * p.in_length + uint(LOAD1(p.start, i))) * p.inner + k;
        float sum = 0.0;
        for (uint t = 0; t < p.taps; ++t) sum += LOAD2(p.weight, i * p.taps + t) * LOAD0(p.x, from + t * p.inner);
        STORE(p.y, outer * row + e, sum);
    }
}
