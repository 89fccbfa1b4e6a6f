// image in -1..1, latent (unscaled) -> mean, logvar, decoded (of the given latent, else of the mean).
#include "nodes/conform/vae_case.h"
#include "nodes/models/vae/kl.h"

namespace nodes {

VaeHints vae_hints(const ConformCase& given) {
    const QJsonObject config = given.config();
    VaeHints hints;
    for (const char* name : {"norm_num_groups", "norm_groups", "groups"})
        if (config.contains(name)) hints.groups = config[name].toInt();
    for (const char* name : {"norm_eps", "eps"})
        if (config.contains(name)) hints.eps = config[name].toDouble();
    return hints;
}

gpu::Weights vae_weights(const ConformCase& given) {
    gpu::Weights weights;
    for (const std::string& path : given.weights) add_vae_weights(weights, gpu::open_checkpoint(path));
    return weights;
}

namespace {

ConformOutputs run_vae(const ConformCase& given) {
    const KlAutoencoder model(vae_weights(given), {.channels = 0}, vae_hints(given));
    ConformOutputs outputs;
    if (given.has_input("image")) {
        const KlAutoencoder::Moments moments = model.moments(given.input("image"));
        outputs = {{"mean", moments.mean}, {"logvar", moments.logvar}};
    }
    if (model.can_decode()) outputs["decoded"] = model.decode_raw(given.has_input("latent") ? given.input("latent") : outputs.at("mean"));
    return outputs;
}

}  // namespace
}  // namespace nodes

REGISTER_CONFORM_KIND(vae, nodes::run_vae)
