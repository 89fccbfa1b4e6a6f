// c[b, m, n] = sum over k of a[b, m, k] b[b, k, n] for few rows, as products with a vector are: a workgroup's invocations share the sums of
// one row with four columns, neighbours along k side by side. Any strides of a and b, c row-major.
#version 460
#include "common/types.glsl"
#include "common/vectors.glsl"
#include "common/math.glsl"
#include "common/fused.glsl"

layout(local_size_x = LANES) in;
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

shared vec4 shares[LANES];

void main() {
    const uint lane = gl_LocalInvocationID.x, n = gl_WorkGroupID.x * 4, m = gl_WorkGroupID.y, batch = gl_WorkGroupID.z;
    const uint row = batch * p.a_batch + m * p.a_row, start = p.batched_b != 0 ? batch * p.b_batch : 0;
    uint column[4];
    for (uint j = 0; j < 4; ++j) column[j] = start + min(n + j, p.N - 1) * p.b_column;
    vec4 total = vec4(0);
#if AXIS0 == 2 && VECTOR0 >= 4 && AXIS1 == 1 && VECTOR1 >= 4
    for (uint k = 4 * lane; k < p.K; k += 4 * LANES) {
        const vec4 x = LOAD4_0(p.a, row + k);
        for (uint j = 0; j < 4; ++j) total[j] += dot(x, LOAD4_1(p.b, column[j] + k));
    }
#else
    for (uint k = lane; k < p.K; k += LANES) {
        const float x = LOAD0(p.a, row + k * p.a_column);
        for (uint j = 0; j < 4; ++j) total[j] = fma(x, LOAD1(p.b, column[j] + k * p.b_row), total[j]);
    }
#endif
    shares[lane] = total;
    barrier();
    for (uint count = LANES; count > 1;) {   // in a fixed order
        const uint upper = (count + 1) / 2;
        if (lane + upper < count) shares[lane] += shares[lane + upper];
        barrier();
        count = upper;
    }
    if (lane < 4 && n + lane < p.N) {
        const uint at = (batch * p.M + m) * p.N + n + lane;
        STORE(p.c, at, EPILOGUE(shares[0][lane], at));
    }
}
