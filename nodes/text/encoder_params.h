// Parameters that nodes of text encoders share.
#pragma once

#include "nodes/core/node.h"
#include "nodes/core/prompt_texts.h"
#include "nodes/models/clip/encode.h"

namespace nodes {

inline constexpr const char* weights_filter = "Weights (*.safetensors *.pth *.pt *.bin *.ckpt *.gguf);;All files (*)";

// The encoder with the layers that a node's parameter says: -1 as the family was trained.
inline Encoder with_skip_param(const Encoder& encoder, int skip) { return skip < 0 ? encoder : encoder.with_skip(skip); }

// Encodes, passes warnings on, evaluates.
inline Conditioning encoded(Eval& ev, const Encoder& encoder, const std::vector<std::string>& prompts, const EncodeOptions& options) {
    EncodedPrompt made = encode_prompt(encoder, prompts, options);
    for (const std::string& warning : made.warnings) ev.warn("{}", warning);
    return evaluated(std::move(made.conditioning));
}

}  // namespace nodes
