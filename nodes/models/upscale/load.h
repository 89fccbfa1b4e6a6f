// Files of upscalers: what family they are of, and its sizes, by their keys and shapes.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "gpu/io/checkpoint.h"
#include "nodes/models/upscale/compact.h"
#include "nodes/models/upscale/rrdb.h"

namespace nodes {

enum class UpscalerLayout {
    RealEsrgan,      // conv_first, body.N.rdbK.convJ
    Esrgan,          // conv_first, RRDB_trunk.N.RDBK.convJ: the paper's own files
    Numbered,        // model.0, model.1.sub.N.RDBK.convJ.0: the layout of most files that people trained themselves
    Compact,         // body.N
};

struct UpscalerPlace {
    UpscalerLayout layout = UpscalerLayout::RealEsrgan;
    std::string prefix;      // in front of all keys, such as "params_ema."
    std::variant<RrdbConfig, CompactConfig> config;
};

// Nothing where the file holds no upscaler of these families.
std::optional<UpscalerPlace> find_upscaler(const gpu::Checkpoint& file);
// "ESRGAN, 4x", for lists.
std::string describe(const UpscalerPlace& place);

// Throws MissingFile, BadFile.
Upscaler load_upscaler(const std::string& path);

}  // namespace nodes
