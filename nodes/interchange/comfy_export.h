// Heddle documents as ComfyUI prompts: the server's ("API") form, by the same table that import goes by.
#pragma once

#include <QJsonObject>
#include <string>
#include <vector>

#include "nodes/core/document.h"

namespace nodes {

struct ComfyExport {
    QJsonObject prompt;                // {"1": {"class_type", "inputs", "_meta"}}
    std::vector<std::string> notes{};  // what will differ, for people
};

// Subgraphs are opened first, muted and bypassed nodes taken out. Numbers and texts of value nodes are written where they
// are read; placeholders of an import become what they were. Throws gpu::Error{InvalidGraph} naming every node, parameter
// and socket that has no counterpart.
ComfyExport export_comfy(const Document& document);

}  // namespace nodes
