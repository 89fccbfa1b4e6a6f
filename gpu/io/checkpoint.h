// Files of named tensors, whatever their container: safetensors and PyTorch pickles.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/graph/dtype.h"
#include "gpu/graph/shape.h"

namespace gpu {

// One tensor of a file. `bytes` are element_count(shape) elements of `dtype`, row-major, little-endian, and live as
// long as the checkpoint's owner. They may start at any address (the containers promise no alignment): copy them out
// with memcpy, never read them through a typed pointer. Bytes of a Bool are as stored: anything but 0 is true.
struct TensorEntry {
    std::string name;
    Dtype dtype = Dtype::F32;
    Shape shape;
    std::span<const std::byte> bytes;
};

// What a reader found in a file; Checkpoint takes it over.
struct CheckpointContent {
    std::string path;
    std::string format;                // "safetensors", "pickle", "legacy pickle"
    std::vector<TensorEntry> entries;  // in file order
    std::map<std::string, std::string> metadata;
    std::vector<std::shared_ptr<const void>> keep;  // what the entries' bytes lie in
};

// An open file of tensors: a cheap shared handle, immutable, usable from any thread.
class Checkpoint {
public:
    // Throws BadFile when two entries have the same name.
    explicit Checkpoint(CheckpointContent content);

    const std::string& path() const;
    const std::string& format() const;

    // In file order.
    const std::vector<TensorEntry>& entries() const;

    // Null when there is none of this name.
    const TensorEntry* find(std::string_view name) const;

    // What the file says besides tensors: the __metadata__ of safetensors; of a pickle the numbers and texts beside the
    // tensors ("epoch"), and how the reader changed names or what it left out ("pickle.unwrapped", "pickle.skipped").
    const std::map<std::string, std::string>& metadata() const;

    // Keeps every entry's bytes alive for as long as it is held.
    std::shared_ptr<const void> owner() const;

private:
    struct Data;
    std::shared_ptr<const Data> data_;
};

// Recognises the container by its content, not by the file's suffix.
// Throws MissingFile, Io, BadFile (with what was expected and what came), or OutOfMemory.
Checkpoint open_checkpoint(const std::string& path);

// Writes a safetensors file through AtomicFile, so that a failed save leaves the old file whole. The bytes are streamed
// from where they lie. The same tensors and metadata always give the same bytes: wide elements first, then by name,
// every tensor aligned to its element's size.
// Throws InvalidGraph when names repeat or are no UTF-8, or a byte count does not fit its shape; Io when it can not
// write.
void save_safetensors(const std::string& path, std::span<const TensorEntry> entries,
                      const std::map<std::string, std::string>& metadata = {});

}  // namespace gpu
