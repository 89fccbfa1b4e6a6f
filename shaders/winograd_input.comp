// v[16, tile, c] = a quarter of B^T d B of the window d of 4 x 4 pixels around a tile of 2 x 2 results (Lavin and Gray,
// arXiv:1509.09308, section 4.1), channels last, zeros around the map.
#version 460
#include "common/types.glsl"
#include "common/elements.glsl"

layout(local_size_x = LANES) in;
layout(push_constant, scalar) uniform Push {
    IN0 x;
    OUT v;
    uint total;                // tiles times C
    uint C, H, W;              // of the map
    uint rows, columns;        // of tiles, in a picture
    int before_h, before_w;    // of the first window's corner, above and left of the map
} p;

vec4 across(vec4 d) { return vec4(d.x - d.z, d.y + d.z, d.z - d.y, d.y - d.w); }

void main() {
    const uint last = LAST_ELEMENT(p.total);
    for (uint e = FIRST_ELEMENT; e < last; e += LANES) {
        const uint c = e % p.C, tile = e / p.C;
        const uint picture = tile / (p.rows * p.columns) * p.H;
        const int y0 = int(tile / p.columns % p.rows * 2) - p.before_h, x0 = int(tile % p.columns * 2) - p.before_w;
        vec4 d[4];
        for (int i = 0; i < 4; ++i) {
            const int y = y0 + i;
            const uint row = (picture + clamp(y, 0, int(p.H) - 1)) * p.W;
            for (int j = 0; j < 4; ++j) {
                // Loaded in any case, so that all loads are on their way at once.
                const int x = x0 + j;
                const float value = LOAD0(p.x, (row + clamp(x, 0, int(p.W) - 1)) * p.C + c);
                d[i][j] = y >= 0 && y < int(p.H) && x >= 0 && x < int(p.W) ? 0.25 * value : 0.0;
            }
            d[i] = across(d[i]);
        }
        const vec4 v[4] = {d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]};
        for (uint i = 0; i < 4; ++i)
            for (uint j = 0; j < 4; ++j) STORE(p.v, (i * 4 + j) * p.total + e, v[i][j]);
    }
}
