// The text that AUTOMATIC1111's web interface and its kin write into pictures ("parameters"), as a graph that makes
// such a picture: prompts in that tool's dialect, sampler, size, seed, LoRAs.
#pragma once

#include <map>
#include <string>

#include "nodes/interchange/comfy_import.h"

namespace nodes {

struct Infotext {
    std::string prompt, negative;
    std::map<std::string, std::string> values{};  // "Steps" -> "20"
};

// Splits prompt, "Negative prompt: ..." and the last line of "Name: value, ...", whose values may be quoted. Never
// throws.
Infotext parse_infotext(const std::string& text);

// Throws Error{BadFile} where the text has no line "Steps: ...". What has no counterpart is told in the report.
ComfyImport import_infotext(const std::string& text, const std::string& path = {});

}  // namespace nodes
