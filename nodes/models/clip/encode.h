// Prompts to conditioning: dialects, weights, chunks, schedules.
#pragma once

#include <string>
#include <vector>

#include "nodes/types/conditioning.h"
#include "nodes/types/encoder.h"
#include "nodes/types/prompt.h"

namespace nodes {

struct EncodedPrompt {
    Conditioning conditioning;      // lazy
    std::vector<std::string> warnings;
};

// One prompt for all towers of the encoder, or one for each. Long prompts become several chunks one behind the other; prompts of
// different length are filled up with empty chunks. Weights act on the encoding z of a token: comfy e + w (z - e), where e is the empty
// prompt's; a1111 w z, and then everything is scaled so that the mean of the chunk stays. Schedules become entries with time ranges,
// a part from step a to b of n from a / n to b / n of the sampling; parts between AND become entries with their weights as strength.
// Throws Error{InvalidGraph}.
EncodedPrompt encode_prompt(const Encoder& encoder, const std::vector<std::string>& prompts, const EncodeOptions& options = {});

// What a person may want to see: a line "clip-l: the:1.1 cat" for each text of a schedule, tower and chunk.
std::string token_table(const Encoder& encoder, const std::string& prompt, const EncodeOptions& options = {});

}  // namespace nodes
