// What the cases of CLIP's towers share.
#pragma once

#include <optional>

#include "gpu/base/error.h"
#include "nodes/conform/conform.h"
#include "nodes/models/clip/layer.h"

namespace nodes {

// "activation" of the configuration, nothing where it has none.
inline std::optional<ClipActivation> clip_activation(const ConformCase& given) {
    const std::string name = given.config()["activation"].toString().toStdString();
    if (name.empty()) return std::nullopt;
    gpu::check(name == "quick_gelu" || name == "gelu", gpu::ErrorCode::BadFile, "{}: expected an activation quick_gelu or gelu, got \"{}\"", given.name, name);
    return name == "gelu" ? ClipActivation::Gelu : ClipActivation::QuickGelu;
}

}  // namespace nodes
