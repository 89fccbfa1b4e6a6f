// Sorts each block of a line by counting, for every element, those that come before it: ids[outer, block * keep + rank, inner]
// = position. Stable. Past the line's end every position stays where it is, behind all elements.
#version 460
#include "common/types.glsl"
#include "common/elements.glsl"
#include "common/sort_key.glsl"

layout(local_size_x = LANES) in;
layout(push_constant, scalar) uniform Push {
    IN0 x;
    OUT ids;
    uint total, extent, inner;
    uint block, blocks, keep;        // elements of a block, blocks of a line, how many of each block's first are kept
    uint flip;                       // all ones: greatest first
    uint x_outer, x_along, x_inner;  // strides of x
} p;

void main() {
    const uint last = LAST_ELEMENT(p.total);
    for (uint e = FIRST_ELEMENT; e < last; e += LANES) {
        const uint i = e % p.inner, row = e / p.inner, j = row % (p.blocks * p.block), o = row / (p.blocks * p.block);
        const uint b = j / p.block, first = b * p.block;
        uint rank = j - first;
        if (j < p.extent) {
            const uint line = o * p.x_outer + i * p.x_inner, end = min(first + p.block, p.extent);
            const uint mine = sort_key(LOAD0(p.x, line + j * p.x_along)) ^ p.flip;
            rank = 0;
            for (uint t = first; t < end; ++t) {
                const uint other = sort_key(LOAD0(p.x, line + t * p.x_along)) ^ p.flip;
                rank += uint(other < mine || (other == mine && t < j));
            }
        }
        if (rank < p.keep) STORE(p.ids, ((o * p.blocks + b) * p.keep + rank) * p.inner + i, int(j));
    }
}
