// A convolution as a matrix product that nobody writes down (implicit GEMM; Chetlur et al., "cuDNN", 2014): a row of A is a
// pixel's window, k runs over its taps and, within each, over the channels, padded to whole steps of the loop.
// Weights lie as [O, taps, C]; those in blocks as they come, [O, C, taps] (WEIGHTS_OIHW).
layout(constant_id = 6) const uint KD = 1;
layout(constant_id = 7) const uint KH = 1;
layout(constant_id = 8) const uint KW = 1;
layout(constant_id = 9) const int stride_d = 1;
layout(constant_id = 10) const int stride_h = 1;
layout(constant_id = 11) const int stride_w = 1;
layout(constant_id = 12) const int dilation_d = 1;
layout(constant_id = 13) const int dilation_h = 1;
layout(constant_id = 14) const int dilation_w = 1;
layout(constant_id = 15) const int before_d = 0;
layout(constant_id = 16) const int before_h = 0;
layout(constant_id = 17) const int before_w = 0;

layout(push_constant, scalar) uniform Push {
    IN0 x;
    IN1 w;
    OUT y;
    uint M, O, K;             // pixels of the result, channels of the result, taps times padded channels
    uint C, padded;           // channels of the map
    uint D, H, W;             // of the map
    uint OD, OH, OW;          // of the result
    SPLIT_PUSH
    EPILOGUE_PUSH
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
    return ARow(m / (p.OW * p.OH * p.OD), ivec3(z, y, x) * ivec3(stride_d, stride_h, stride_w) - ivec3(before_d, before_h, before_w));
}

// Channel 0 of the element that the step's tap meets; false in the zeros around the map.
bool meets(ARow row, uint k0, out uint at) {
    const uint tap = k0 / p.padded;
    const ivec3 place = row.corner + ivec3(tap / (KH * KW), tap / KW % KH, tap % KW) * ivec3(dilation_d, dilation_h, dilation_w);
    const bool inside = all(greaterThanEqual(place, ivec3(0))) && all(lessThan(place, ivec3(p.D, p.H, p.W)));
    at = inside ? (((row.n * p.D + place.x) * p.H + place.y) * p.W + place.z) * p.C : 0;
    return inside;
}

BColumn b_column(uint n) { return BColumn(min(n, p.O - 1) * KD * KH * KW * p.C); }

uint channel(uint k0, uint k) { return k0 % p.padded + k; }

uint weight_at(BColumn column, uint k0, uint c) {
    const uint tap = k0 / p.padded;
#ifdef WEIGHTS_OIHW
    return column.at + c * KD * KH * KW + tap;
#else
    return column.at + tap * p.C + c;
#endif
}
