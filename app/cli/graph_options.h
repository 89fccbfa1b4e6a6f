// Documents on the command line: reading one, and what --set and -o change in it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "nodes/core/param.h"
#include "nodes/interchange/open_graph.h"

namespace app {

// "-" is stdin. A picture that Heddle wrote (PNG, JPEG, TIFF, OpenEXR) gives the graph that it holds; a ComfyUI workflow, or a PNG
// that holds one, is translated (see nodes/interchange/open_graph.h). Throws as nodes::open_graph does.
nodes::OpenedGraph open_graph(const std::string& path, const nodes::ComfyOptions& options = {});

// The same, with what a translation could not carry over as words on stderr.
nodes::Document load_graph(const std::string& path);

// The declaration of the parameter "NODE.param". Throws gpu::Error{Usage}, with the nearest name.
const nodes::ParamInfo& find_param(const nodes::Document& document, const std::string& name);

// Sets the parameter "NODE.param" to the value that `text` says: typed and range-checked. Relative file names start from
// `folder`, the current one where it is empty. The file, when it is one, is appended to `files`. Throws
// gpu::Error{Usage}.
nodes::Document apply_param(const nodes::Document& document, const std::string& name, const std::string& text,
                            std::vector<std::string>& files, const std::string& folder = {});

// The same for NODE.param=VALUE, errors with --set before them.
nodes::Document apply_set(const nodes::Document& document, const std::string& assignment,
                          std::vector<std::string>& files, const std::string& folder = {});

// The parameters of nodes of `document` that name files to write: (node, declaration). `targets` are the nodes that run,
// empty: the default ones.
std::vector<std::pair<std::string, const nodes::ParamInfo*>> output_params(const nodes::Document& document,
                                                                           const std::vector<std::string>& targets);

// Sets the file of the only node that writes one and that `targets` (empty: the default ones) need. Throws
// gpu::Error{Usage} naming the choices when there is not exactly one.
nodes::Document apply_output(const nodes::Document& document, const std::vector<std::string>& targets,
                             const std::string& file, std::vector<std::string>& files, const std::string& folder = {});

}  // namespace app
