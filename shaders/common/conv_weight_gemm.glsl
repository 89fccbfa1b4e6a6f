// A convolution's gradient in its weight as a matrix product: rows are the channels of dy, columns taps and, within each, channels
// of x, padded so that no word of a load has two taps; k runs over the pixels of dy.
#include "common/conv_constants.glsl"

layout(push_constant, scalar) uniform Push {
    IN0 x;
    IN1 dy;
    OUT dw;                   // [O, C, taps]
    uint M, N, K;             // channels of dy, taps times padded channels of x, pixels of dy
    uint C, padded;           // channels of x
    uint D, H, W;             // of x
    uint OD, OH, OW;          // of dy
    SPLIT_PUSH
} p;

#define A_ALONG_K 0
#define B_ALONG_K 0

// Column n's channel of the element of x that its tap meets at pixel k; false in the zeros around the map and past the end.
bool meets(uint k, uint n, out uint at) {
    const uint tap = n / p.padded;
    const uint x = k % p.OW, y = k / p.OW % p.OH, z = k / (p.OW * p.OH) % p.OD, image = k / (p.OW * p.OH * p.OD);
    const ivec3 place = ivec3(z, y, x) * ivec3(stride_d, stride_h, stride_w) - ivec3(before_d, before_h, before_w) +
                        ivec3(tap / (KH * KW), tap / KW % KH, tap % KW) * ivec3(dilation_d, dilation_h, dilation_w);
    const bool inside = k < p.K && n < p.N && all(greaterThanEqual(place, ivec3(0))) && all(lessThan(place, ivec3(p.D, p.H, p.W)));
    at = inside ? (((image * p.D + place.x) * p.H + place.y) * p.W + place.z) * p.C + n % p.padded : 0;
    return inside && n % p.padded < p.C;
}

void store_result(uint m, uint n, float value) {
    const uint c = n % p.padded;
    if (m >= p.M || n >= p.N || c >= p.C) return;
    STORE(p.dw, ((PART * p.M + m) * p.C + c) * KD * KH * KW + n / p.padded, value);
}
