// The seam between open_checkpoint() and the containers. A new container is one file and one row in checkpoint.cpp.
#pragma once

#include <memory>
#include <span>

#include "gpu/io/checkpoint.h"
#include "gpu/io/mapped_file.h"

namespace gpu {

using FileHandle = std::shared_ptr<const MappedFile>;

// The first looks at a file's first bytes only; the second may rely on that and throws BadFile.
bool is_safetensors(std::span<const std::byte> bytes);
CheckpointContent read_safetensors(const FileHandle& file);

bool is_gguf(std::span<const std::byte> bytes);
CheckpointContent read_gguf(const FileHandle& file);

bool is_pickle(std::span<const std::byte> bytes);
CheckpointContent read_pickle(const FileHandle& file);

}  // namespace gpu
