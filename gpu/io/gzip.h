// Reading gzip files (RFC 1952), through zlib.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace gpu {

// The unpacked content. Throws Error{BadFile} for damaged data, or when it would pass `most` bytes.
std::string gunzip(std::span<const std::byte> packed, std::size_t most);

}  // namespace gpu
