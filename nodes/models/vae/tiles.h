// Autoencoders on batches and large pictures: one picture after the other, in tiles where memory asks for it.
//
// Tiles overlap and fade into each other linearly. A tile's values near its border lack what lies outside, and norms over all
// cells see the tile alone; so tiles of a model with group norms differ a little in tone, which the fade hides.
#pragma once

#include <functional>
#include <string>

#include "nodes/types/vae.h"

namespace nodes {

enum class Tiles { Auto, Off, On };      // Auto: when memory does not suffice for the whole

struct TileOptions {
    Tiles tiles = Tiles::Auto;
    int side = 512;                      // of a tile, in pixels of the picture, rounded up to whole latent cells
    int overlap = 64;                    // of neighbours, in pixels, at most three quarters of a tile
    std::function<void(std::int64_t done, std::int64_t total)> progress = {};
    std::function<void(const std::string& message)> warn = {};      // what Auto did
};

// model.decode() and model.posterior() of every picture of the batch, evaluated. Auto goes on with tiles where the whole throws
// OutOfMemory, and with smaller ones where tiles do; what stays too large throws it.
Tensor decode_in_tiles(const Autoencoder& model, const Tensor& latents, const TileOptions& options = {});
Autoencoder::Posterior encode_in_tiles(const Autoencoder& model, const Tensor& pictures, const TileOptions& options = {});

}  // namespace nodes
