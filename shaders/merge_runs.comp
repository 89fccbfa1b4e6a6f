// Merges neighbouring sorted runs of ids: every id finds its place by a binary search in the other run. Stable.
// Ids of the line's length and above stand for nothing and come last.
#version 460
#include "common/types.glsl"
#include "common/elements.glsl"
#include "common/sort_key.glsl"

layout(local_size_x = LANES) in;
layout(push_constant, scalar) uniform Push {
    IN0 x;
    IN1 ids;
    OUT merged;
    uint total, extent, inner;
    uint count, run;                 // ids of a line, and of each sorted run in it
    uint out_count, out_run;
    uint flip;                       // all ones: greatest first
    uint x_outer, x_along, x_inner;  // strides of x
} p;

uint key_of(uint line, uint id) {
    return id < p.extent ? sort_key(LOAD0(p.x, line + id * p.x_along)) ^ p.flip : 0xffffffffu;
}

void main() {
    const uint last = LAST_ELEMENT(p.total);
    for (uint e = FIRST_ELEMENT; e < last; e += LANES) {
        const uint i = e % p.inner, row = e / p.inner, s = row % p.count, o = row / p.count;
        const uint r = s / p.run, t = s % p.run, sibling = (r ^ 1u) * p.run;
        const uint line = o * p.x_outer + i * p.x_inner, target = (o * p.out_count + r / 2 * p.out_run) * p.inner + i;
        const uint id = uint(LOAD1(p.ids, e)), key = key_of(line, id);
        uint rank = t;
        if (sibling < p.count) {
            uint low = 0, high = p.run;
            while (low < high) {
                const uint middle = (low + high) / 2;
                const uint other = uint(LOAD1(p.ids, (o * p.count + sibling + middle) * p.inner + i)), other_key = key_of(line, other);
                if (other_key < key || (other_key == key && other < id)) low = middle + 1;
                else high = middle;
            }
            rank += low;
        } else if (p.run + t < p.out_run) {   // a run without a sibling: fill its other half with ids that are nobody's
            STORE(p.merged, target + (p.run + t) * p.inner, int(0x40000000u + r / 2 * p.out_run + p.run + t));
        }
        if (rank < p.out_run) STORE(p.merged, target + rank * p.inner, int(id));
    }
}
