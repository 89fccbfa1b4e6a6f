// Any file that holds a graph: a document, a picture that carries one, or a workflow of another tool.
#pragma once

#include <optional>
#include <string>

#include "nodes/interchange/comfy_import.h"

namespace nodes {

struct OpenedGraph {
    Document document;
    std::optional<ComfyReport> report{};  // where the graph was translated
};

// By what is inside: a .heddle document; a ComfyUI workflow or prompt (JSON); a picture that Heddle wrote (PNG, JPEG,
// WebP, TIFF, OpenEXR), or a video; a PNG, JPEG or WebP with what ComfyUI, its savers or A1111 put into it
// (foreign_graphs.h; the first that can be read). Throws as Document::load and import_comfy do, and Error{BadFile} for a picture without a graph.
OpenedGraph open_graph(const std::string& path, const ComfyOptions& options = {});

// The same for text that came another way, such as stdin or the clipboard.
OpenedGraph open_graph_text(const QByteArray& text, const ComfyOptions& options = {}, const std::string& path = {});

}  // namespace nodes
