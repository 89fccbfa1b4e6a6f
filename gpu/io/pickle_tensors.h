// From the value of a pickle to named tensors.
#pragma once

#include <functional>
#include <string>

#include "gpu/io/checkpoint.h"
#include "gpu/io/pickle_machine.h"

namespace gpu::pickle {

// A storage's bytes, count x size_of(dtype) of them, and how they are verified (null: they need not be).
struct StoredBytes {
    std::span<const std::byte> bytes;
    std::shared_ptr<const LazyCheck> unverified;
};
// Throws BadFile when the file does not hold the storage.
using StorageBytes = std::function<StoredBytes(const Storage&)>;

// Adds every tensor under `root` to `content`, named by its path: keys and indices joined by dots. A dict's
// "state_dict" at the top lends no name to what is in it (metadata "pickle.unwrapped"). A module that was pickled as a
// whole is named as its state dict would be. Placeholders are left out and listed under "pickle.skipped". Tensors that
// are not row-major are copied into memory of their own, at most `copy_limit` bytes in all.
void collect_tensors(const Machine& machine, Value root, const StorageBytes& storage_bytes, std::uint64_t copy_limit,
                     CheckpointContent& content);

}  // namespace gpu::pickle
