// Element types of tensors, and the scalar conversions between float and the two 16-bit formats.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

namespace gpu {

enum class Dtype : std::uint8_t { F32, F16, BF16, F64, I64, I32, I16, I8, U8, Bool };

namespace detail {

struct DtypeRow {
    std::string_view name;
    std::size_t size;
};

// In the order of the enumerators; the names are those of safetensors.
inline constexpr DtypeRow dtype_rows[] = {{"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F64", 8}, {"I64", 8},
                                          {"I32", 4}, {"I16", 2}, {"I8", 1},   {"U8", 1},  {"BOOL", 1}};

}  // namespace detail

// Bytes of one element. A Bool is a byte of 0 or 1.
constexpr std::size_t size_of(Dtype dtype) { return detail::dtype_rows[static_cast<std::size_t>(dtype)].size; }

// "F32" .. "BOOL", as safetensors spells them.
constexpr std::string_view name_of(Dtype dtype) { return detail::dtype_rows[static_cast<std::size_t>(dtype)].name; }

// The type of exactly this name, or nothing.
constexpr std::optional<Dtype> parse_dtype(std::string_view name) {
    for (std::size_t row = 0; row < std::size(detail::dtype_rows); ++row)
        if (detail::dtype_rows[row].name == name) return static_cast<Dtype>(row);
    return std::nullopt;
}

constexpr bool is_float(Dtype dtype) {
    return dtype == Dtype::F32 || dtype == Dtype::F16 || dtype == Dtype::BF16 || dtype == Dtype::F64;
}

// The type in which two types meet, as PyTorch has it: the wider of one kind; floats win over integers, integers over
// Bool; F16 and BF16 meet in F32, U8 and I8 in I16.
constexpr Dtype promote(Dtype a, Dtype b) {
    if (a == b) return a;
    if (is_float(a) != is_float(b)) return is_float(a) ? a : b;
    if (is_float(a)) return a == Dtype::F64 || b == Dtype::F64 ? Dtype::F64 : Dtype::F32;
    if (a == Dtype::Bool || b == Dtype::Bool) return a == Dtype::Bool ? b : a;
    if (size_of(a) == size_of(b)) return Dtype::I16;   // U8 and I8
    return size_of(a) > size_of(b) ? a : b;
}

// Exact: every 16-bit float is a 32-bit float. A NaN stays a NaN and keeps its payload's high bits.
constexpr float f16_to_float(std::uint16_t half) {
    const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
    const std::uint32_t exponent = (half >> 10) & 0x1fu;
    const std::uint32_t fraction = half & 0x3ffu;
    if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | (fraction << 13));
    if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112u) << 23) | (fraction << 13));
    // Zero and subnormals: fraction * 2^-24 is exact in a float.
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
}

// Rounds to nearest, ties to even; beyond 65504 + half a unit becomes infinity; a NaN becomes a quiet NaN.
constexpr std::uint16_t float_to_f16(float value) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
    const std::uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
    if (magnitude >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);  // 65520 and up
    // `kept` is the result before rounding and `dropped` the bits below it, out of `width` bits.
    std::uint32_t kept = 0, dropped = 0, width = 13;
    if (magnitude >= 0x38800000u) {  // 2^-14: the smallest normal half
        kept = (magnitude - 0x38000000u) >> 13;
        dropped = magnitude & 0x1fffu;
    } else {
        const std::uint32_t exponent = magnitude >> 23;
        if (exponent < 102) return sign;  // below 2^-25: nearer to zero than to the smallest subnormal
        const std::uint32_t significand = (magnitude & 0x7fffffu) | 0x800000u;
        width = 126 - exponent;
        kept = significand >> width;
        dropped = significand & ((1u << width) - 1);
    }
    const std::uint32_t half = 1u << (width - 1);
    if (dropped > half || (dropped == half && (kept & 1u))) ++kept;  // a carry into the exponent is the right result
    return static_cast<std::uint16_t>(sign | kept);
}

constexpr float bf16_to_float(std::uint16_t value) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
}

// Rounds to nearest, ties to even; a NaN becomes a quiet NaN.
constexpr std::uint16_t float_to_bf16(float value) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
    return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

}  // namespace gpu
