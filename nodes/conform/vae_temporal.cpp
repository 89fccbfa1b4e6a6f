// latent [F, 4, h, w] (unscaled), the frames of one clip -> decoded frames.
#include "nodes/conform/vae_case.h"
#include "nodes/models/vae/kl.h"

namespace nodes {
namespace {

ConformOutputs run_vae_temporal(const ConformCase& given) {
    const KlAutoencoder model(vae_weights(given), {.channels = 0}, vae_hints(given));
    ConformOutputs outputs{{"decoded", model.decode_raw(given.input("latent"))}};
    if (model.can_encode() && given.has_input("image")) outputs["mean"] = model.moments(given.input("image")).mean;
    return outputs;
}

}  // namespace
}  // namespace nodes

REGISTER_CONFORM_KIND(vae_temporal, nodes::run_vae_temporal)
