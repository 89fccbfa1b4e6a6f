// Autoencoders of one file: KL, VQ and tiny ones, recognised by their tensors.
#pragma once

#include <string>

#include "nodes/models/vae/config.h"
#include "nodes/types/vae.h"

namespace nodes {

// `family` ("sd1", "sdxl", "sd3", "flux", ...) empty: as the config.json beside the file says, the checkpoint around it, the file's
// name, else by the number of channels. Throws MissingFile; BadFile for files of something else, which it names.
Vae load_vae(const std::string& path, const std::string& family = {});

// The format of the latents of an autoencoder in this file.
LatentFormat guess_latent_format(const gpu::Checkpoint& file, int channels, const std::string& family = {});

}  // namespace nodes
