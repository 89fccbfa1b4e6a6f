// Loads the OpenImageIO module (oiio_module.h) on first use.
#pragma once

#include "nodes/codec/oiio_module.h"

namespace nodes::oiio {

// Throw Error with the code of what went wrong, or Error{Failure} when the module can not be loaded. `path` is for messages.
Picture read(const std::string& path, bool header_only = false);
std::vector<std::byte> encode(const std::string& path, Encode job);

}  // namespace nodes::oiio
