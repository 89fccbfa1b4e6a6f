// The numbers and names that GGUF files use: types of metadata values and of tensor elements.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "gpu/graph/blocks.h"
#include "gpu/graph/dtype.h"

namespace gpu::gguf {

inline constexpr std::string_view magic = "GGUF";
inline constexpr std::uint64_t default_alignment = 32;
inline constexpr std::string_view alignment_key = "general.alignment";
// Shapes that ggml's tensors cannot have are kept under this key, as ComfyUI-GGUF does.
inline constexpr std::string_view shape_key = "comfy.gguf.orig_shape.";

enum class Value : std::uint32_t { U8, I8, U16, I16, U32, I32, F32, Bool, Text, List, U64, I64, F64 };

// Element types by their number in files. Those with neither dtype nor blocks are known by size only: such tensors are
// listed and can not be read.
struct Type {
    std::uint32_t id;
    std::string_view name;
    std::uint64_t elements, bytes;   // of a block
    std::optional<Dtype> dtype;
    std::optional<BlockFormat> blocks;
};

inline constexpr Type plain(std::uint32_t id, Dtype dtype) { return {id, name_of(dtype), 1, size_of(dtype), dtype, {}}; }
inline constexpr Type packed(std::uint32_t id, BlockFormat format) {
    return {id, name_of(format), elements_of(format), bytes_of(format), {}, format};
}
inline constexpr Type foreign(std::uint32_t id, std::string_view name, std::uint64_t elements, std::uint64_t bytes) {
    return {id, name, elements, bytes, {}, {}};
}

inline constexpr Type types[] = {
    plain(0, Dtype::F32), plain(1, Dtype::F16), packed(2, BlockFormat::Q4_0), packed(3, BlockFormat::Q4_1),
    packed(6, BlockFormat::Q5_0), packed(7, BlockFormat::Q5_1), packed(8, BlockFormat::Q8_0), foreign(9, "Q8_1", 32, 36),
    foreign(10, "Q2_K", 256, 84), foreign(11, "Q3_K", 256, 110), packed(12, BlockFormat::Q4_K), packed(13, BlockFormat::Q5_K),
    packed(14, BlockFormat::Q6_K), foreign(15, "Q8_K", 256, 292), foreign(16, "IQ2_XXS", 256, 66), foreign(17, "IQ2_XS", 256, 74),
    foreign(18, "IQ3_XXS", 256, 98), foreign(19, "IQ1_S", 256, 50), foreign(20, "IQ4_NL", 32, 18), foreign(21, "IQ3_S", 256, 110),
    foreign(22, "IQ2_S", 256, 82), foreign(23, "IQ4_XS", 256, 136), plain(24, Dtype::I8), plain(25, Dtype::I16),
    plain(26, Dtype::I32), plain(27, Dtype::I64), plain(28, Dtype::F64), foreign(29, "IQ1_M", 256, 56), plain(30, Dtype::BF16),
    foreign(34, "TQ1_0", 256, 54), foreign(35, "TQ2_0", 256, 66), foreign(39, "MXFP4", 32, 17)};

}  // namespace gpu::gguf
