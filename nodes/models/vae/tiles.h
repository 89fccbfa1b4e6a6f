// Autoencoders on batches and large pictures (nodes/models/tiles/tiles.h).
#pragma once

#include "nodes/models/tiles/tiles.h"
#include "nodes/types/vae.h"

namespace nodes {

// model.decode() and model.posterior() of every picture of the batch, evaluated.
Tensor decode_in_tiles(const Autoencoder& model, const Tensor& latents, const TileOptions& options = {});
Autoencoder::Posterior encode_in_tiles(const Autoencoder& model, const Tensor& pictures, const TileOptions& options = {});

}  // namespace nodes
