// image in -1..1 -> indices, decoded (from the quantised latent); latent before it is quantised, where given, is decoded instead.
#include "gpu/ops.h"
#include "nodes/conform/vae_case.h"
#include "nodes/models/vae/vq.h"

namespace nodes {
namespace {

ConformOutputs run_vq(const ConformCase& given) {
    const VqAutoencoder model(vae_weights(given), {.channels = 0}, vae_hints(given));
    const Tensor encoded = given.has_input("image") ? model.encode_raw(given.input("image")) : given.input("latent");
    const Tensor indices = gpu::cast(model.indices(encoded), gpu::Dtype::F32);      // [N, h, w]
    return {{"latent", encoded}, {"indices", indices}, {"decoded", model.decode_raw(given.has_input("latent") ? given.input("latent") : encoded)}};
}

}  // namespace
}  // namespace nodes

REGISTER_CONFORM_KIND(vq, nodes::run_vq)
