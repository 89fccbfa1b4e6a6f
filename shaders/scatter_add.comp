// y[outer, l, inner] = sum of x[outer, n, inner] over the n with ids[outer, n, inner] = l, in the order of n: the same bits on
// every run. `order` sorts the ids, so that each l finds its n side by side. Ids outside are clamped, as gather does.
#version 460
#include "common/types.glsl"
#include "common/elements.glsl"

layout(local_size_x = LANES) in;
layout(push_constant, scalar) uniform Push {
    IN0 x;
    IN1 ids;
    IN2 order;
    OUT y;
    uint total, extent, count, inner;
    uint id_outer, id_along, id_inner;   // strides of the ids and of their order; 0 where all lines share them
    uint x_outer, x_along, x_inner;      // strides of x
} p;

uint place(uint base, uint m) { return uint(LOAD2(p.order, base + m * p.id_along)); }
uint row_of(uint base, uint n) { return uint(clamp(LOAD1(p.ids, base + n * p.id_along), 0, int(p.extent) - 1)); }

void main() {
    const uint last = LAST_ELEMENT(p.total);
    uint known = 0xffffffffu, start = 0;   // the row that `start` was searched for
    for (uint e = FIRST_ELEMENT; e < last; e += LANES) {
        const uint i = e % p.inner, row = e / p.inner, l = row % p.extent, o = row / p.extent;
        const uint base = o * p.id_outer + i * p.id_inner;
        if (row != known || p.id_inner != 0) {
            uint high = p.count;
            for (start = 0; start < high;) {
                const uint middle = (start + high) / 2;
                if (row_of(base, place(base, middle)) < l) start = middle + 1;
                else high = middle;
            }
            known = row;
        }
        SUM sum = SUM(0);
        for (uint m = start; m < p.count; ++m) {
            const uint n = place(base, m);
            if (row_of(base, n) != l) break;
            sum += LOAD0(p.x, o * p.x_outer + n * p.x_along + i * p.x_inner);
        }
        STORE(p.y, e, sum);
    }
}
