// Prompts as the sequences that a text tower reads: weighted tokens in chunks of 75 between start and end.
#pragma once

#include <string>
#include <vector>

#include "nodes/types/encoder.h"
#include "nodes/types/prompt.h"

namespace nodes {

// One sequence of a tower's full length; weights beside the tokens, 1 at start, end and padding.
struct TextChunk {
    TextRow tokens;
    std::vector<double> weights;
    bool operator==(const TextChunk&) const = default;
};
inline bool operator==(const TextToken& a, const TextToken& b) { return a.id == b.id && a.row == b.row; }

// One chunk at least. Learned embeddings are called by `embedding:name` at the start or behind a space or a new line (comfy; those
// that are not there are left out, and `missing` gets their names), by their bare names (a1111, plain).
//
// comfy: a part of less than 8 tokens that does not fit moves to the next chunk as a whole. a1111: text behind a comma within the
// last 20 tokens of a full chunk moves to the next. plain: 75 tokens, then the next 75.
std::vector<TextChunk> text_chunks(const TextTower& tower, const std::vector<TextEmbedding>& embeddings, const QString& prompt,
                                   PromptDialect dialect, std::vector<std::string>* missing = nullptr);

// The chunk of an empty prompt.
TextChunk empty_chunk(const TextTowerInfo& info);

}  // namespace nodes
