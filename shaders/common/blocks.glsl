// Weights in blocks (gpu/graph/blocks.h): load_<format>(b, i) is element i, read where it lies. Blocks have an even number
// of bytes but not always a multiple of 4, and devices without 8- and 16-bit storage read them too: all by 32-bit words.
layout(buffer_reference, scalar, buffer_reference_align = 4) readonly buffer Blocks { uint word[]; };
#define F8_E4M3 Blocks
#define F8_E5M2 Blocks
#define Q8_0 Blocks
#define Q4_0 Blocks
#define Q4_1 Blocks
#define Q5_0 Blocks
#define Q5_1 Blocks
#define Q4_K Blocks
#define Q5_K Blocks
#define Q6_K Blocks

uint block_byte(Blocks b, uint at) { return (b.word[at >> 2] >> ((at & 3u) * 8u)) & 255u; }
int block_signed(Blocks b, uint at) { return bitfieldExtract(int(b.word[at >> 2]), int(at & 3u) * 8, 8); }
// `at` is even.
float block_half(Blocks b, uint at) { return unpackHalf2x16(b.word[at >> 2] >> ((at & 2u) * 8u)).x; }

// The nibble of element i of 32, whose 16 bytes start at `at`: the first half in the low ones.
uint block_nibble(Blocks b, uint at, uint i) { return (block_byte(b, at + (i & 15u)) >> ((i >> 4) * 4u)) & 15u; }
uint block_fifth(Blocks b, uint at, uint i) { return ((block_byte(b, at + (i >> 3)) >> (i & 7u)) & 1u) << 4; }

float load_F8_E4M3(Blocks b, uint i) {
    const uint bits = block_byte(b, i), magnitude = bits & 127u;
    // The exponent's bias is 7 where an F32's is 127; subnormals are eighths of 2^-6.
    const float value = magnitude == 127u ? uintBitsToFloat(0x7fc00000u)
                        : magnitude < 8u  ? float(magnitude) * 0.001953125
                                          : uintBitsToFloat((magnitude << 20) + (120u << 23));
    return bits > 127u ? -value : value;
}
float load_F8_E5M2(Blocks b, uint i) { return unpackHalf2x16(block_byte(b, i) << 8).x; }

float load_Q8_0(Blocks b, uint i) {
    const uint at = i / 32u * 34u;
    return block_half(b, at) * float(block_signed(b, at + 2u + i % 32u));
}
float load_Q4_0(Blocks b, uint i) {
    const uint at = i / 32u * 18u;
    return block_half(b, at) * (float(block_nibble(b, at + 2u, i % 32u)) - 8.0);
}
float load_Q4_1(Blocks b, uint i) {
    const uint at = i / 32u * 20u;
    return block_half(b, at) * float(block_nibble(b, at + 4u, i % 32u)) + block_half(b, at + 2u);
}
float load_Q5_0(Blocks b, uint i) {
    const uint at = i / 32u * 22u, k = i % 32u;
    return block_half(b, at) * (float(block_nibble(b, at + 6u, k) | block_fifth(b, at + 2u, k)) - 16.0);
}
float load_Q5_1(Blocks b, uint i) {
    const uint at = i / 32u * 24u, k = i % 32u;
    return block_half(b, at) * float(block_nibble(b, at + 8u, k) | block_fifth(b, at + 4u, k)) + block_half(b, at + 2u);
}

// Scale and minimum of one of 8 runs of 32 elements, 6 bits each in 12 bytes, times those of the block at `at`.
vec2 block_scale_and_min(Blocks b, uint at, uint run) {
    const uint low = block_byte(b, at + 4u + (run & 3u)), high = block_byte(b, at + 8u + (run & 3u));
    const uint packed = block_byte(b, at + 12u + (run & 3u));
    const uvec2 q = run < 4u ? uvec2(low & 63u, high & 63u)
                             : uvec2((packed & 15u) | ((low >> 6) << 4), (packed >> 4) | ((high >> 6) << 4));
    return vec2(q) * vec2(block_half(b, at), block_half(b, at + 2u));
}
float load_Q4_K(Blocks b, uint i) {
    const uint at = i / 256u * 144u, k = i % 256u, run = k / 32u;
    const uint q = (block_byte(b, at + 16u + run / 2u * 32u + k % 32u) >> ((run & 1u) * 4u)) & 15u;
    const vec2 s = block_scale_and_min(b, at, run);
    return s.x * float(q) - s.y;
}
float load_Q5_K(Blocks b, uint i) {
    const uint at = i / 256u * 176u, k = i % 256u, run = k / 32u;
    const uint high = (block_byte(b, at + 16u + k % 32u) >> run) & 1u;
    const uint q = (block_byte(b, at + 48u + run / 2u * 32u + k % 32u) >> ((run & 1u) * 4u)) & 15u;
    const vec2 s = block_scale_and_min(b, at, run);
    return s.x * float(q | (high << 4)) - s.y;
}
float load_Q6_K(Blocks b, uint i) {
    const uint at = i / 256u * 210u, k = i % 256u, half_ = k / 128u, run = k / 32u % 4u;
    const uint low = (block_byte(b, at + half_ * 64u + (run & 1u) * 32u + k % 32u) >> ((run >> 1) * 4u)) & 15u;
    const uint high = (block_byte(b, at + 128u + half_ * 32u + k % 32u) >> (run * 2u)) & 3u;
    const float scale = float(block_signed(b, at + 192u + k / 16u)) * block_half(b, at + 208u);
    return scale * (float(low | (high << 4)) - 32.0);
}
