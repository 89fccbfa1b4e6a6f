// How many tokens a prompt has, for an editor. Implemented in nodes/models/clip.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nodes/types/encoder.h"
#include "nodes/types/prompt.h"

namespace nodes {

struct TokenCount {
    int tokens = 0;                        // with start and end of every chunk, without padding
    int room = 77;                         // of all chunks
    int chunks = 1;
    std::vector<std::string> missing{};    // learned words that are called and not there
    bool operator==(const TokenCount&) const = default;
};

// Of the longest text that the prompt says at any step, as encode_prompt() reads it. Costs milliseconds.
TokenCount count_tokens(const TextTower& tower, const std::vector<TextEmbedding>& embeddings, const QString& prompt, const EncodeOptions& options = {});

// A tower that knows nothing but a vocabulary, to count with where no encoder is at hand: CLIP's, where its list of merges is found
// (find_merges in load.h), else that of the built-in model. Made at the first call, which takes a moment; null where neither can be read.
std::shared_ptr<const TextTower> vocabulary_tower();

}  // namespace nodes
