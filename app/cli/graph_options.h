// Documents on the command line: reading one, and what --set and -o change in it.
#pragma once

#include <string>
#include <vector>

#include "nodes/interchange/open_graph.h"

namespace app {

// "-" is stdin. A picture that Heddle wrote (PNG, JPEG, TIFF, OpenEXR) gives the graph that it holds; a ComfyUI workflow, or a PNG
// that holds one, is translated (see nodes/interchange/open_graph.h). Throws as nodes::open_graph does.
nodes::OpenedGraph open_graph(const std::string& path, const nodes::ComfyOptions& options = {});

// The same, with what a translation could not carry over as words on stderr.
nodes::Document load_graph(const std::string& path);

// Applies NODE.param=VALUE: typed, range-checked, the node and the parameter by name. Relative file names start from
// the current folder. The file, when it names one, is appended to `files`. Throws gpu::Error{Usage}, with the nearest
// name.
nodes::Document apply_set(const nodes::Document& document, const std::string& assignment,
                          std::vector<std::string>& files);

// Sets the file of the only node that writes one and that `targets` (empty: the default ones) need. Throws
// gpu::Error{Usage} naming the choices when there is not exactly one.
nodes::Document apply_output(const nodes::Document& document, const std::vector<std::string>& targets,
                             const std::string& file, std::vector<std::string>& files);

}  // namespace app
