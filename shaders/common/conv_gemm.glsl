// A convolution as a matrix product that nobody writes down (implicit GEMM; Chetlur et al., "cuDNN", 2014): a row of A is a
// pixel's window, k runs over its taps and, within each, over the channels, padded to whole steps of the loop.
// Weights lie as [O, taps, C]; those in blocks as they come, [O, C, taps] (WEIGHTS_OIHW). TRANSPOSED makes it the adjoint, which
// computes the map's O channels from the C of the result: a window there is what the pixel was met by.
#include "common/conv_constants.glsl"

layout(push_constant, scalar) uniform Push {
    IN0 x;
    IN1 w;
    OUT y;
    uint M, O, K;             // pixels of the result, channels of the result, taps times padded channels
    uint C, padded;           // channels of the map
    uint D, H, W;             // of the map
    uint OD, OH, OW;          // of the result
    SPLIT_PUSH
    FUSED_PUSH
} p;

struct ARow {
    uint n;         // picture
    ivec3 corner;   // of the window in the map, before the first tap
};
struct BColumn {
    uint at;        // of the channel's first weight
};
#define B_ALONG_K 1

ARow a_row(uint m) {
    m = min(m, p.M - 1);
    const uint x = m % p.OW, y = m / p.OW % p.OH, z = m / (p.OW * p.OH) % p.OD;
#ifdef TRANSPOSED
    const ivec3 corner = ivec3(z, y, x) + ivec3(before_d, before_h, before_w);
#else
    const ivec3 corner = ivec3(z, y, x) * ivec3(stride_d, stride_h, stride_w) - ivec3(before_d, before_h, before_w);
#endif
    return ARow(m / (p.OW * p.OH * p.OD), corner);
}

// Channel 0 of the element that the step's tap meets; false in the zeros around the map.
bool meets(ARow row, uint k0, out uint at) {
    const uint tap = k0 / p.padded;
    const ivec3 offset = ivec3(tap / (KH * KW), tap / KW % KH, tap % KW) * ivec3(dilation_d, dilation_h, dilation_w);
#ifdef TRANSPOSED
    const ivec3 stride = ivec3(stride_d, stride_h, stride_w), reach = row.corner - offset, place = reach / stride;
    const bool inside = all(greaterThanEqual(reach, ivec3(0))) && all(equal(place * stride, reach)) && all(lessThan(place, ivec3(p.D, p.H, p.W)));
#else
    const ivec3 place = row.corner + offset;
    const bool inside = all(greaterThanEqual(place, ivec3(0))) && all(lessThan(place, ivec3(p.D, p.H, p.W)));
#endif
    at = inside ? (((row.n * p.D + place.x) * p.H + place.y) * p.W + place.z) * p.C : 0;
    return inside;
}

#if defined(TRANSPOSED) && defined(WEIGHTS_OIHW)   // O and C of the weight are those of the convolution
BColumn b_column(uint n) { return BColumn(min(n, p.O - 1) * KD * KH * KW); }
#else
BColumn b_column(uint n) { return BColumn(min(n, p.O - 1) * KD * KH * KW * p.C); }
#endif

uint channel(uint k0, uint k) { return k0 % p.padded + k; }

uint weight_at(BColumn column, uint k0, uint c) {
    const uint tap = k0 / p.padded;
#if defined(TRANSPOSED) && defined(WEIGHTS_OIHW)
    return column.at + c * p.O * KD * KH * KW + tap;
#elif defined(WEIGHTS_OIHW)
    return column.at + c * KD * KH * KW + tap;
#else
    return column.at + tap * p.C + c;
#endif
}
