// Which memory is a file's, mapped read-only, so that pages of it may be given back: they are read from the file, or from
// the system's cache of it, when they are touched again.
#pragma once

#include <cstddef>
#include <span>

namespace gpu {

// Called by what maps and unmaps files. Safe from any thread.
void note_mapping(std::span<const std::byte> bytes);
void forget_mapping(std::span<const std::byte> bytes);

// Gives back the whole pages within `bytes` where those are a mapped file's: what they hold was copied and is not needed
// soon. Elsewhere nothing is done. Returns the bytes given back.
std::size_t let_go(std::span<const std::byte> bytes);

}  // namespace gpu
