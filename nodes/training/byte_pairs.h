// Byte-pair merges learned from texts (Sennrich et al., arXiv:1508.07909), for a small tokenizer of CLIP's kind.
#pragma once

#include <string>
#include <vector>

namespace nodes {

// The text of a merges file as ClipTokenizer reads it: a version line, then up to `count` merges, the most frequent pair first at each turn;
// ends early where no pair is left that stands twice. Equal counts go by the alphabet, so that the same texts give the same file. Words are
// told apart as CLIP does for ASCII; words with other characters stay bytes.
std::string learn_merges(const std::vector<std::string>& texts, int count);

}  // namespace nodes
