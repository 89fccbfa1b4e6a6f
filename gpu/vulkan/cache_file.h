// Small files below cache_directory() that can be rebuilt at any time. Whatever is wrong with one is a miss.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gpu/base/hash.h"

namespace gpu {

// The payload of cache_directory()/<path>, or nothing when the file is absent, damaged, of another version of Heddle or
// was not written for `key`.
std::optional<std::vector<std::byte>> read_cache_file(const std::string& path, const Hash& key);

// Writes through a temporary file and a rename, so that readers see a whole file or none. A folder that can't be
// written is reported once in the log and costs nothing but time.
void write_cache_file(const std::string& path, const Hash& key, std::span<const std::byte> payload);

}  // namespace gpu
