// The tile of 2 x 2 results of y[n, y, x, o] = four times A^T m A of m[16, tile, o] (Lavin and Gray, arXiv:1509.09308,
// section 4.1), channels last. What lies past the end of an odd size is not stored.
#version 460
#include "common/types.glsl"
#include "common/elements.glsl"
#include "common/math.glsl"
#include "common/fused.glsl"

layout(local_size_x = LANES) in;
layout(push_constant, scalar) uniform Push {
    IN0 m;
    OUT y;
    uint total;            // tiles times O
    uint O, H, W;          // of the result
    uint rows, columns;    // of tiles, in a picture
    FUSED_PUSH
} p;

void main() {
    const uint last = LAST_ELEMENT(p.total);
    for (uint e = FIRST_ELEMENT; e < last; e += LANES) {
        vec2 r[4];
        for (uint i = 0; i < 4; ++i) {
            vec4 m;
            for (uint j = 0; j < 4; ++j) m[j] = LOAD0(p.m, (i * 4 + j) * p.total + e);
            r[i] = vec2(m.x + m.y + m.z, m.y - m.z - m.w);
        }
        const vec2 results[2] = {4.0 * (r[0] + r[1] + r[2]), 4.0 * (r[1] - r[2] - r[3])};
        const uint o = e % p.O, tile = e / p.O, picture = tile / (p.rows * p.columns) * p.H;
        const uint y0 = tile / p.columns % p.rows * 2, x0 = tile % p.columns * 2;
        for (uint i = 0; i < 2 && y0 + i < p.H; ++i)
            for (uint j = 0; j < 2 && x0 + j < p.W; ++j) {
                const uint at = ((picture + y0 + i) * p.W + x0 + j) * p.O + o;
                STORE(p.y, at, EPILOGUE(results[i][j], at));
            }
    }
}
