// The rules by which files are recognised, in the order in which they are tried.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "nodes/models/detect/detect.h"

namespace nodes {

// Names and shapes of all files together.
class FileNames {
public:
    explicit FileNames(std::span<const gpu::Checkpoint> files) : files_(files) {}

    std::span<const gpu::Checkpoint> files() const { return files_; }
    const gpu::TensorEntry* find(std::string_view name) const;
    bool has(std::string_view name) const { return find(name) != nullptr; }
    // The first entry whose name starts, contains or ends so; null for none.
    const gpu::TensorEntry* starting(std::string_view text) const;
    const gpu::TensorEntry* containing(std::string_view text) const;
    const gpu::TensorEntry* ending(std::string_view text) const;
    // Length of an axis of a tensor that is there and has it, negative axes from the end; else 0.
    static std::int64_t length(const gpu::TensorEntry* entry, int axis);
    std::int64_t length(std::string_view name, int axis) const { return length(find(name), axis); }
    std::size_t count() const;

private:
    std::span<const gpu::Checkpoint> files_;
};

struct Signature {
    const char* name;                                          // for people who read the list
    bool (*matches)(const FileNames& names, ModelFacts& facts);      // fills `facts` where it does
};

std::span<const Signature> adapter_signatures();      // before networks: some carry copies of a network's weights
std::span<const Signature> network_signatures();
std::span<const Signature> part_signatures();         // parts of a checkpoint, alone in a file

// "sd1" by the width of the text that cross-attention reads: 768, 1024, 1280, 2048; "" for others.
std::string family_of_context(std::int64_t width);

}  // namespace nodes
