// What the cases of UNets share.
#pragma once

#include "nodes/conform/conform.h"
#include "nodes/models/unet/config.h"

namespace nodes {

// What the configuration of a case says beside the shapes. "heads" may be a number or a list.
UnetHints unet_hints(const ConformCase& given);

// latent, timestep, context and, where the case has them, guidance_embedding, pooled, size_ids.
DenoiserInput unet_input(const ConformCase& given);

}  // namespace nodes
