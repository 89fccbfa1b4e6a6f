// Text encoders and vision towers from files: which family, which towers, where the tokenizer is.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nodes/models/clip/text.h"
#include "nodes/models/clip/tokenizer.h"
#include "nodes/models/clip/vision.h"
#include "nodes/types/encoder.h"
#include "nodes/types/vision.h"

namespace nodes {

struct TextLoadOptions {
    std::string family;             // "sd1", "sd2", "sdxl", "sdxl-refiner"; empty: by the number and width of the towers
    std::string tokenizer;          // a merges file; empty: found, see find_merges()
    ClipTextHints hints{};          // for all towers; what they leave open comes from a config.json beside the file, then from the family
};

// The merges of CLIP's tokenizer: merges.txt or bpe_simple_vocab_16e6.txt[.gz] in the folder "tokenizer" of the model that a file
// belongs to, beside the file, or in heddle/tokenizers of the user's or the system's data folders ($XDG_DATA_HOME, by default
// ~/.local/share; $XDG_DATA_DIRS). Throws MissingFile with all that.
std::string find_merges(std::span<const std::string> model_files);

// Encoders from open files: one file with one tower or both, or a file for each. Throws BadFile, MissingFile.
Encoder make_text_encoder(std::span<const gpu::Checkpoint> files, const TextLoadOptions& options = {});
Encoder load_text_encoder(const std::vector<std::string>& files, const TextLoadOptions& options = {});

// A vision tower of a file of its own or of a whole CLIP or checkpoint.
Vision make_vision(std::span<const gpu::Checkpoint> files, const ClipVisionHints& hints = {});
// Of weights that are named as in Hugging Face's files.
Vision make_vision(gpu::Weights weights, const ClipVisionHints& hints = {});

}  // namespace nodes
