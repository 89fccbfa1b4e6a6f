// CLIP's text tower and its tokenizer as the Encoder socket carries them.
#pragma once

#include <memory>
#include <string>

#include "nodes/models/clip/text.h"
#include "nodes/models/clip/tokenizer.h"
#include "nodes/types/encoder.h"

namespace nodes {

struct ClipTowerOptions {
    ClipTextHints hints{};
    bool pad_with_end = true;       // else with token 0, as OpenCLIP does
    int dropped = 0;                // see TextTowerInfo
};

// `weights` are named as in Hugging Face's files (keys.h). Throws BadFile, naming keys, where they are no text tower, or where the
// tokenizer knows more tokens than the table has rows.
std::shared_ptr<const TextTower> make_clip_tower(gpu::Weights weights, std::shared_ptr<const ClipTokenizer> tokenizer, const ClipTowerOptions& options);

}  // namespace nodes
