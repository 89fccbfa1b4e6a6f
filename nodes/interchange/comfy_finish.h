// What an import does to the graph as a whole: before its nodes are translated, and after.
#pragma once

#include <string>
#include <vector>

#include "nodes/interchange/comfy_graph.h"
#include "nodes/interchange/comfy_import.h"

namespace nodes {

// Before: ComfyUI hangs on conditionings what changes the model here, or both halves of guidance. Gives such nodes the
// sampler's model, or its negative conditioning, and puts them between.
void rewrite_conditioning(ComfyGraph& graph);

// Before: gives nodes without a place (the server's form has none) columns by their distance from what they read.
void place_nodes(ComfyGraph& graph);

// After: latents take their channels from the model that samples them, learned words of prompts get their loaders,
// files that are written get names of their own, negative prompts are called so.
void finish_comfy_document(Document& document, ComfyReport& report);

}  // namespace nodes
