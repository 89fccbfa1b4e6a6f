// u[16, o, c] = G g G^T of the kernel g of 3 x 3 taps (Lavin and Gray, arXiv:1509.09308, section 4.1). TURNED: of the kernel
// turned by half a turn, as the adjoint of the convolution wants it.
#version 460
#include "common/types.glsl"
#include "common/elements.glsl"

layout(local_size_x = LANES) in;
layout(push_constant, scalar) uniform Push {
    IN0 w;         // [O, C, 3, 3]
    OUT u;
    uint total;    // O times C
} p;

#ifdef TURNED
#define TAP(t) (8 - (t))
#else
#define TAP(t) (t)
#endif

void main() {
    const uint last = LAST_ELEMENT(p.total);
    for (uint e = FIRST_ELEMENT; e < last; e += LANES) {
        vec4 g[3];
        for (uint i = 0; i < 3; ++i) {
            const float a = LOAD0(p.w, e * 9 + TAP(i * 3)), b = LOAD0(p.w, e * 9 + TAP(i * 3 + 1)), c = LOAD0(p.w, e * 9 + TAP(i * 3 + 2));
            g[i] = vec4(a, 0.5 * (a + c) + 0.5 * b, 0.5 * (a + c) - 0.5 * b, c);
        }
        const vec4 u[4] = {g[0], 0.5 * (g[0] + g[2]) + 0.5 * g[1], 0.5 * (g[0] + g[2]) - 0.5 * g[1], g[2]};
        for (uint i = 0; i < 4; ++i)
            for (uint j = 0; j < 4; ++j) STORE(p.u, (i * 4 + j) * p.total + e, u[i][j]);
    }
}
