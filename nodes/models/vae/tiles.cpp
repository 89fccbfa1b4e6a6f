#include "nodes/models/vae/tiles.h"

namespace nodes {

Tensor decode_in_tiles(const Autoencoder& model, const Tensor& latents, const TileOptions& options) {
    return in_tiles(latents, {1, model.format().factor}, options, "decode", [&](const Tensor& part) { return gpu::Tensors{model.decode(part)}; })[0];
}

Autoencoder::Posterior encode_in_tiles(const Autoencoder& model, const Tensor& pictures, const TileOptions& options) {
    const gpu::Tensors parts = in_tiles(pictures, {model.format().factor, 1}, options, "encode", [&](const Tensor& part) {
        const Autoencoder::Posterior posterior = model.posterior(part);
        return posterior.deviation ? gpu::Tensors{posterior.mean, posterior.deviation} : gpu::Tensors{posterior.mean};
    });
    return {parts[0], parts.size() > 1 ? parts[1] : Tensor()};
}

}  // namespace nodes
