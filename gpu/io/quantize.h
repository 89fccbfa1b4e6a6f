// Makes a model file smaller: weights of layers in blocks, what is sensitive or small in 16 or 32 bits.
#pragma once

#include <string>

#include "gpu/io/checkpoint.h"

namespace gpu {

// How `entry` is stored in a file quantised to `format` (one that pack() writes):
// - blocks of `format`: tensors of 2 axes or more whose elements fill whole blocks;
// - F16 (BF16 stays): those whose first or second axis is shorter than 32 (a model's first and last layers, where an error
//   is seen at once), embeddings (their rows are looked up, not multiplied), and elements that fill no whole blocks;
// - F32: tensors of one axis (biases, norms);
// - integers stay, U8 and Bool become I32, and what is in blocks already stays.
// The result has neither bytes nor anything to verify.
TensorEntry quantized_entry(const TensorEntry& entry, BlockFormat format);

// Writes `from` as GGUF in that form, one tensor in memory at a time. The file's metadata go along, but for what tells of
// its former types.
void save_quantized(const std::string& path, const Checkpoint& from, BlockFormat format);

}  // namespace gpu
