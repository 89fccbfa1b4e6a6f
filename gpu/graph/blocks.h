// Weights in fewer bits: a block of neighbouring elements shares its scale. The layouts are those of GGUF files (their
// names too), and the two 8-bit floats, which are blocks of one element.
//
// Such a tensor is a U8 leaf of its blocks under dequantize() (ops.h). Kernels read the blocks where they lie: shaders by
// shaders/common/blocks.glsl, host kernels by unpack().
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace gpu {

enum class BlockFormat : std::uint8_t { F8_E4M3, F8_E5M2, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K };

namespace detail {

struct BlockRow {
    std::string_view name;
    std::size_t elements, bytes;   // of a block
};

// In the order of the enumerators.
inline constexpr BlockRow block_rows[] = {{"F8_E4M3", 1, 1}, {"F8_E5M2", 1, 1}, {"Q8_0", 32, 34},    {"Q4_0", 32, 18},
                                          {"Q4_1", 32, 20},  {"Q5_0", 32, 22},  {"Q5_1", 32, 24},    {"Q4_K", 256, 144},
                                          {"Q5_K", 256, 176}, {"Q6_K", 256, 210}};

}  // namespace detail

inline constexpr std::size_t largest_block = 256;   // elements

constexpr std::string_view name_of(BlockFormat format) { return detail::block_rows[static_cast<std::size_t>(format)].name; }
constexpr std::size_t elements_of(BlockFormat format) { return detail::block_rows[static_cast<std::size_t>(format)].elements; }
constexpr std::size_t bytes_of(BlockFormat format) { return detail::block_rows[static_cast<std::size_t>(format)].bytes; }

// Bytes of `count` elements; the last block is whole, so count is a multiple of elements_of(format).
constexpr std::size_t bytes_of(BlockFormat format, std::size_t count) { return count / elements_of(format) * bytes_of(format); }

constexpr std::optional<BlockFormat> parse_block_format(std::string_view name) {
    for (std::size_t row = 0; row < std::size(detail::block_rows); ++row)
        if (detail::block_rows[row].name == name) return static_cast<BlockFormat>(row);
    return std::nullopt;
}

// Elements [first, first + out.size()) of the blocks, which need no alignment. `first` may lie inside a block.
void unpack(BlockFormat format, const std::byte* blocks, std::size_t first, std::span<float> out);

// True for formats that pack() writes: Q8_0, Q4_K.
bool can_pack(BlockFormat format);
// The blocks nearest to `values`, whose number is a multiple of elements_of(format). Throws Error{Numeric} for NaN and
// infinity, Error{InvalidGraph} for a format that is only read. The same values give the same bytes.
std::vector<std::byte> pack(BlockFormat format, std::span<const float> values);

}  // namespace gpu
