// y[outer, n, inner] = x[outer, ids[outer, n, inner], inner]; ids outside are clamped.
#version 460
#include "common/types.glsl"
#include "common/elements.glsl"

layout(local_size_x = LANES) in;
layout(push_constant, scalar) uniform Push {
    IN0 x;
    IN1 ids;
    OUT y;
    uint total, extent, count, inner;
    uint id_outer, id_along, id_inner;   // strides of the ids; 0 where all lines share them
    uint x_outer, x_along, x_inner;      // strides of x
} p;

void main() {
    const uint last = LAST_ELEMENT(p.total);
    for (uint e = FIRST_ELEMENT; e < last; e += LANES) {
        const uint i = e % p.inner, row = e / p.inner, n = row % p.count, o = row / p.count;
        const int id = LOAD1(p.ids, o * p.id_outer + n * p.id_along + i * p.id_inner);
        const uint from = uint(clamp(id, 0, int(p.extent) - 1));
        STORE(p.y, e, LOAD0(p.x, o * p.x_outer + from * p.x_along + i * p.x_inner));
    }
}
