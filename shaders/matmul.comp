// c[b, m, n] = sum over k of a[b, m, k] b[b, k, n], any strides of a and b, c row-major. 4 x 4 elements an invocation.
#version 460
#include "common/types.glsl"
#include "common/math.glsl"
#include "common/fused.glsl"

layout(local_size_x = 16, local_size_y = 4) in;
layout(push_constant, scalar) uniform Push {
    IN0 a;
    IN1 b;
    OUT c;
    uint M, N, K;
    uint batched_b;
    uint a_batch, a_row, a_column;   // strides
    uint b_batch, b_row, b_column;
    FUSED_PUSH
} p;

void main() {
    const uint batch = gl_WorkGroupID.z;
    const uint n0 = gl_GlobalInvocationID.x * 4, m0 = gl_GlobalInvocationID.y * 4;
    if (m0 >= p.M || n0 >= p.N) return;
    uint row[4], column[4];
    for (uint i = 0; i < 4; ++i) {   // past the end: compute the last again, store nothing
        row[i] = batch * p.a_batch + min(m0 + i, p.M - 1) * p.a_row;
        column[i] = (p.batched_b != 0 ? batch * p.b_batch : 0) + min(n0 + i, p.N - 1) * p.b_column;
    }
    vec4 sum[4] = vec4[4](vec4(0), vec4(0), vec4(0), vec4(0));
    for (uint k = 0; k < p.K; ++k) {
        const uint kb = k * p.b_row, ka = k * p.a_column;
        const vec4 b = vec4(LOAD1(p.b, column[0] + kb), LOAD1(p.b, column[1] + kb), LOAD1(p.b, column[2] + kb), LOAD1(p.b, column[3] + kb));
        for (uint i = 0; i < 4; ++i) sum[i] += LOAD0(p.a, row[i] + ka) * b;
    }
    for (uint i = 0; i < 4; ++i)
        for (uint j = 0; j < 4; ++j)
            if (m0 + i < p.M && n0 + j < p.N) {
                const uint at = (batch * p.M + m0 + i) * p.N + n0 + j;
                STORE(p.c, at, EPILOGUE(sum[i][j], at));
            }
}
