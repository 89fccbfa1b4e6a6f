// Which of the texts in a picture are somebody else's graph.
//
// - PNG: ComfyUI's chunks "workflow" and "prompt", A1111's "parameters".
// - EXIF: ComfyUI and most savers for it write "workflow:{...}" and "prompt:{...}" into tags of their own choice (Make, Model,
//   ImageDescription ...); some put an object with the members "workflow" and "prompt", or the JSON itself, into UserComment.
//   A1111 writes its "parameters" into UserComment.
// - JPEG's comments: any of these.
#pragma once

#include <string>
#include <vector>

#include "nodes/codec/exif.h"

namespace nodes {

struct ForeignGraph {
    enum class Kind { Workflow, Prompt, Infotext };
    Kind kind = Kind::Workflow;
    std::string text;       // JSON, or the infotext
    std::string place{};    // for people: "UserComment"
};

// Workflows first, because they have the layout, then prompts, then infotexts; each in the order of the file. What merely looks
// like one is among them.
std::vector<ForeignGraph> foreign_graphs(const std::vector<PictureText>& texts);

}  // namespace nodes
