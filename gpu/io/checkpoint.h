// Files of named tensors, whatever their container: safetensors, PyTorch pickles and GGUF.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/graph/blocks.h"
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
    // The bytes are blocks of quantised weights (graph/blocks.h) instead; dtype is F32, what they unpack to.
    std::optional<BlockFormat> blocks;
    // The name of an element type that can be listed and not read ("IQ2_XXS"); empty for others.
    std::string foreign;
    // What is left to be verified of the bytes; null where nothing is.
    std::shared_ptr<const class LazyCheck> unverified;
};

// A check of bytes that costs a pass over them, so that it waits until somebody uses them: made once, its result kept.
class LazyCheck {
public:
    // `check` throws BadFile when the bytes are damaged.
    explicit LazyCheck(std::function<void()> check) : check_(std::move(check)) {}
    void operator()() const;

private:
    std::function<void()> check_;
    mutable std::mutex mutex_;
    mutable bool passed_ = false;
};

// "F16", "Q4_K", "IQ2_XXS": as the file's container names it.
std::string type_name(const TensorEntry& entry);
// How many bytes the entry's type and shape make. Throws InvalidGraph for a foreign type.
std::uint64_t bytes_of(const TensorEntry& entry);
// The bytes, verified. Everybody who uses them goes through this or entry_floats(). Throws BadFile when a check sum
// differs or the type is foreign.
std::span<const std::byte> used_bytes(const TensorEntry& entry);
// The elements of a floating type or of blocks, as F32. Throws BadFile for others.
std::vector<float> entry_floats(const TensorEntry& entry);

// What a reader found in a file; Checkpoint takes it over.
struct CheckpointContent {
    std::string path;
    std::string format;                // "safetensors", "pickle", "legacy pickle", "gguf 3"
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

    // What the file says besides tensors: the __metadata__ of safetensors; the key-values of GGUF as text, lists of more
    // than a few items as their number; of a pickle the numbers and texts beside the
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
// Blocks of 8-bit floats are written, others are for save_gguf().
// An entry without bytes gets those that `make` returns when its turn comes, so that a model need not be in memory as a
// whole.
using MakeBytes = std::function<std::vector<std::byte>(std::size_t entry)>;
void save_safetensors(const std::string& path, std::span<const TensorEntry> entries,
                      const std::map<std::string, std::string>& metadata = {}, const MakeBytes& make = {});

// Writes a GGUF file of version 3 in the same manner, tensors in the order given, data aligned to 32 bytes. ggml knows at
// most 4 axes, no scalars, and rows of whole blocks: other shapes are flattened, and the true one is kept as
// "comfy.gguf.orig_shape.NAME", which the reader applies. U8 and Bool have no type in GGUF. Metadata are texts.
void save_gguf(const std::string& path, std::span<const TensorEntry> entries,
               const std::map<std::string, std::string>& metadata = {}, const MakeBytes& make = {});

}  // namespace gpu
