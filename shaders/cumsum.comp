// y[outer, j, inner] = sum of x[outer, 0 .. j, inner]. An invocation a line; long lines are cut into blocks before.
#version 460
#include "common/types.glsl"
#include "common/elements.glsl"

layout(local_size_x = LANES) in;
layout(push_constant, scalar) uniform Push {
    IN0 x;
    OUT y;
    uint total, extent, inner;
    uint exclusive, reverse;
    uint x_outer, x_along, x_inner;  // strides of x
} p;

void main() {
    const uint last = LAST_ELEMENT(p.total);
    for (uint e = FIRST_ELEMENT; e < last; e += LANES) {
        const uint o = e / p.inner, i = e % p.inner;
        SUM sum = SUM(0);
        for (uint t = 0; t < p.extent; ++t) {
            const uint j = p.reverse != 0 ? p.extent - 1 - t : t;
            const SUM term = LOAD0(p.x, o * p.x_outer + j * p.x_along + i * p.x_inner);
            STORE(p.y, (o * p.extent + j) * p.inner + i, p.exclusive != 0 ? sum : sum + term);
            sum += term;
        }
    }
}
