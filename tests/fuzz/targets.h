// What is fuzzed, as plain functions, so that the unit tests replay what was found: tests/unit/fuzz_corpus.cpp.
//
// Each takes any bytes, and returns which promise they broke; empty: none. A refused input (gpu::Error) breaks none, any other
// exception does.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace tests {

// A document's text: read, written, read again, validated, lowered and merged with itself.
std::string broken_by_document(std::span<const std::byte> bytes);

// What other tools write: a ComfyUI workflow or prompt, imported and exported again; else A1111's infotext.
std::string broken_by_workflow(std::span<const std::byte> bytes);

// A picture's or a model file's header: texts beside the pixels, names and shapes of tensors.
std::string broken_by_header(std::span<const std::byte> bytes);

}  // namespace tests
