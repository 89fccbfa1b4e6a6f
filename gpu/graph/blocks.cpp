// Reading blocks. Every layout is little-endian; a scale is an F16. "Low and high half": the low nibbles of a run of bytes
// are its first elements, the high nibbles the same number of later ones.
#include "gpu/graph/blocks.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "gpu/graph/dtype.h"

namespace gpu {
namespace {

using Byte = std::uint8_t;

float half_at(const Byte* at) { return f16_to_float(static_cast<std::uint16_t>(at[0] | at[1] << 8)); }

// F8: sign, 4 bits of exponent (bias 7), 3 of fraction; no infinities, all ones is NaN.   arXiv:2209.05433
constexpr float e4m3_to_float(Byte bits) {
    const int exponent = bits >> 3 & 15, fraction = bits & 7;
    if (exponent == 15 && fraction == 7) return std::bit_cast<float>(0x7fc00000u);
    float value = exponent ? static_cast<float>(8 + fraction) : static_cast<float>(fraction);
    for (int e = exponent ? exponent - 1 : 0; e > 0; --e) value *= 2;
    value *= 0x1p-9f;
    return bits & 0x80 ? -value : value;
}

// F8: the upper byte of an F16.
constexpr float e5m2_to_float(Byte bits) { return f16_to_float(static_cast<std::uint16_t>(bits << 8)); }

template <float (*convert)(Byte)>
constexpr std::array<float, 256> table_of() {
    std::array<float, 256> table{};
    for (int i = 0; i < 256; ++i) table[i] = convert(static_cast<Byte>(i));
    return table;
}

void q8_0(const Byte* b, float* out) {
    const float d = half_at(b);
    for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(static_cast<std::int8_t>(b[2 + i]));
}

// d (q - 8): 2 bytes of d, 16 of nibbles.
void q4_0(const Byte* b, float* out) {
    const float d = half_at(b);
    for (int i = 0; i < 16; ++i) {
        out[i] = d * static_cast<float>((b[2 + i] & 15) - 8);
        out[16 + i] = d * static_cast<float>((b[2 + i] >> 4) - 8);
    }
}

// d q + m
void q4_1(const Byte* b, float* out) {
    const float d = half_at(b), m = half_at(b + 2);
    for (int i = 0; i < 16; ++i) {
        out[i] = d * static_cast<float>(b[4 + i] & 15) + m;
        out[16 + i] = d * static_cast<float>(b[4 + i] >> 4) + m;
    }
}

// The 5th bits of 32 elements, in their order, before the nibbles.
int fifth(const Byte* bits, int i) { return (bits[i / 8] >> i % 8 & 1) << 4; }

void q5_0(const Byte* b, float* out) {
    const float d = half_at(b);
    for (int i = 0; i < 16; ++i) {
        out[i] = d * static_cast<float>(((b[6 + i] & 15) | fifth(b + 2, i)) - 16);
        out[16 + i] = d * static_cast<float>((b[6 + i] >> 4 | fifth(b + 2, 16 + i)) - 16);
    }
}

void q5_1(const Byte* b, float* out) {
    const float d = half_at(b), m = half_at(b + 2);
    for (int i = 0; i < 16; ++i) {
        out[i] = d * static_cast<float>((b[8 + i] & 15) | fifth(b + 4, i)) + m;
        out[16 + i] = d * static_cast<float>(b[8 + i] >> 4 | fifth(b + 4, 16 + i)) + m;
    }
}

// Scale and minimum of a run of 32 elements, 6 bits each: those of the first four runs in the low bits of 8 bytes, of the
// last four in 4 bytes and the high bits of the 8.
void scale_and_min(const Byte* packed, int run, float& scale, float& min) {
    if (run < 4) {
        scale = static_cast<float>(packed[run] & 63);
        min = static_cast<float>(packed[run + 4] & 63);
    } else {
        scale = static_cast<float>((packed[run + 4] & 15) | (packed[run - 4] >> 6) << 4);
        min = static_cast<float>((packed[run + 4] >> 4) | (packed[run] >> 6) << 4);
    }
}

// d, dmin, 12 bytes of scales and minima, 128 of nibbles: 32 bytes hold two runs, as low and high half.
void q4_k(const Byte* b, float* out) {
    const float d = half_at(b), dmin = half_at(b + 2);
    for (int run = 0; run < 8; ++run) {
        float scale = 0, min = 0;
        scale_and_min(b + 4, run, scale, min);
        const Byte* q = b + 16 + run / 2 * 32;
        for (int i = 0; i < 32; ++i)
            out[run * 32 + i] = d * scale * static_cast<float>(run % 2 ? q[i] >> 4 : q[i] & 15) - dmin * min;
    }
}

// As Q4_K, with 32 bytes of 5th bits before the nibbles: bit `run` of byte i belongs to element i of the run.
void q5_k(const Byte* b, float* out) {
    const float d = half_at(b), dmin = half_at(b + 2);
    for (int run = 0; run < 8; ++run) {
        float scale = 0, min = 0;
        scale_and_min(b + 4, run, scale, min);
        const Byte *high = b + 16, *q = b + 48 + run / 2 * 32;
        for (int i = 0; i < 32; ++i) {
            const int value = (run % 2 ? q[i] >> 4 : q[i] & 15) | (high[i] >> run & 1) << 4;
            out[run * 32 + i] = d * scale * static_cast<float>(value) - dmin * min;
        }
    }
}

// 128 bytes of nibbles, 64 of pairs of high bits, 16 signed scales of 16 elements each, d. In each half of 128 elements
// run r of 32 has its nibbles in bytes 32 (r % 2) .. of the half's 64 and its pair at bits 2 r of the half's 32.
void q6_k(const Byte* b, float* out) {
    const float d = half_at(b + 208);
    for (int run = 0; run < 8; ++run) {
        const int half = run / 4, r = run % 4;
        const Byte *low = b + half * 64 + r % 2 * 32, *high = b + 128 + half * 32, *scales = b + 192 + run * 2;
        for (int i = 0; i < 32; ++i) {
            const int value = (r < 2 ? low[i] & 15 : low[i] >> 4) | (high[i] >> 2 * r & 3) << 4;
            out[run * 32 + i] = d * static_cast<float>(static_cast<std::int8_t>(scales[i / 16])) * static_cast<float>(value - 32);
        }
    }
}

template <float (*convert)(Byte)>
void by_table(const Byte* b, std::span<float> out) {
    static constexpr std::array<float, 256> table = table_of<convert>();
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = table[b[i]];
}

using Reader = void (*)(const Byte*, float*);

Reader reader_of(BlockFormat format) {
    switch (format) {
        case BlockFormat::Q8_0: return q8_0;
        case BlockFormat::Q4_0: return q4_0;
        case BlockFormat::Q4_1: return q4_1;
        case BlockFormat::Q5_0: return q5_0;
        case BlockFormat::Q5_1: return q5_1;
        case BlockFormat::Q4_K: return q4_k;
        case BlockFormat::Q5_K: return q5_k;
        case BlockFormat::Q6_K: return q6_k;
        case BlockFormat::F8_E4M3: case BlockFormat::F8_E5M2: break;
    }
    return nullptr;
}

}  // namespace

void unpack(BlockFormat format, const std::byte* blocks, std::size_t first, std::span<float> out) {
    const auto* bytes = reinterpret_cast<const Byte*>(blocks);
    if (format == BlockFormat::F8_E4M3) return by_table<e4m3_to_float>(bytes + first, out);
    if (format == BlockFormat::F8_E5M2) return by_table<e5m2_to_float>(bytes + first, out);
    const Reader read = reader_of(format);
    const std::size_t elements = elements_of(format);
    float whole[largest_block];
    for (std::size_t at = 0; at < out.size();) {
        const std::size_t inside = (first + at) % elements, count = std::min(elements - inside, out.size() - at);
        const Byte* block = bytes + (first + at) / elements * bytes_of(format);
        if (count == elements) {
            read(block, out.data() + at);
        } else {
            read(block, whole);
            std::copy_n(whole + inside, count, out.data() + at);
        }
        at += count;
    }
}

}  // namespace gpu
