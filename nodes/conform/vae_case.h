// What the kinds of autoencoders share.
#pragma once

#include "nodes/conform/conform.h"
#include "nodes/models/vae/config.h"

namespace nodes {

// What the case's config says besides what shapes tell.
VaeHints vae_hints(const ConformCase& given);
// The weights of all its files under the inner names.
gpu::Weights vae_weights(const ConformCase& given);

}  // namespace nodes
