// Whether files hold all that a network needs, and nothing that nobody asks for: by names and shapes.
#pragma once

#include "nodes/models/detect/signatures.h"
#include "nodes/models/unet/keys.h"
#include "nodes/models/vae/keys.h"

namespace nodes {

// Family, variant, prediction type, and missing and unexpected keys of the UNet and of what stands beside it in the files.
void describe_unet(const FileNames& names, const UnetPlace& place, ModelFacts& facts);
// Latent channels, and missing and unexpected keys.
void describe_vae(const gpu::Checkpoint& file, const VaePlace& place, ModelFacts& facts);

// Missing and unexpected keys of a ControlNet that is whole, or a difference to a base; a Control-LoRA has no list of its own.
void describe_control(const gpu::Checkpoint& file, ModelFacts& facts);

// Epsilon or v of a UNet of SD 2, which nothing in its files says: the deviation of one bias tells the published ones apart:
// above 0.09 it is v.
bool predicts_v(const gpu::Weights& unet);

}  // namespace nodes
