// ids[outer, inner] = the first position of the greatest (flip: the least) element of each line.
// COOPERATIVE: a workgroup a line; else an invocation a line.
#version 460
#include "common/types.glsl"
#include "common/elements.glsl"
#include "common/sort_key.glsl"

layout(local_size_x = LANES) in;
layout(push_constant, scalar) uniform Push {
    IN0 x;
    OUT ids;
    uint total, extent, inner;
    uint flip;                       // all ones: the least
    uint x_outer, x_along, x_inner;  // strides of x
} p;

// The better of two candidates: the greater key, then the lower position.
bool beats(uint key, uint at, uint best_key, uint best) { return key > best_key || (key == best_key && at < best); }

void scan(uint e, uint start, uint by, inout uint best_key, inout uint best) {
    const uint line = e / p.inner * p.x_outer + e % p.inner * p.x_inner;
    for (uint j = start; j < p.extent; j += by) {
        const uint key = sort_key(LOAD0(p.x, line + j * p.x_along)) ^ p.flip;
        if (beats(key, j, best_key, best)) {
            best_key = key;
            best = j;
        }
    }
}

#ifdef COOPERATIVE
shared uint keys[LANES], places[LANES];

void main() {
    const uint e = gl_WorkGroupID.x, lane = gl_LocalInvocationID.x;
    uint key = 0, best = 0xffffffffu;
    scan(e, lane, LANES, key, best);
    keys[lane] = key;
    places[lane] = best;
    barrier();
    for (uint count = LANES; count > 1;) {
        const uint upper = (count + 1) / 2;
        if (lane + upper < count && beats(keys[lane + upper], places[lane + upper], keys[lane], places[lane])) {
            keys[lane] = keys[lane + upper];
            places[lane] = places[lane + upper];
        }
        barrier();
        count = upper;
    }
    if (lane == 0) STORE(p.ids, e, int(places[0]));
}
#else
void main() {
    const uint last = LAST_ELEMENT(p.total);
    for (uint e = FIRST_ELEMENT; e < last; e += LANES) {
        uint key = 0, best = 0xffffffffu;
        scan(e, 0, 1, key, best);
        STORE(p.ids, e, int(best));
    }
}
#endif
