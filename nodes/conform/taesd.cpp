// image, latent where given -> latent or encoded, decoded (of the given latent, else of the encoding).
#include "gpu/ops.h"
#include "nodes/conform/conform.h"
#include "nodes/models/taesd/taesd.h"

namespace nodes {
namespace {

ConformOutputs run_taesd(const ConformCase& given) {
    gpu::Weights weights;
    for (const std::string& path : given.weights) add_taesd_weights(weights, gpu::open_checkpoint(path));
    const Taesd model(Scope::weights(std::move(weights)), "");
    // diffusers' class takes and gives pictures in -1..1.
    const bool centred = given.json["layout"].toString() == "diffusers";
    const Tensor image = given.input("image");
    const Tensor latent = model.encode(centred ? (image + 1.0) / 2.0 : image);
    const Tensor decoded = model.decode(given.has_input("latent") ? given.input("latent") : latent);
    return {{"latent", latent}, {"encoded", latent}, {"decoded", centred ? decoded * 2.0 - 1.0 : decoded}};
}

}  // namespace
}  // namespace nodes

REGISTER_CONFORM_KIND(taesd, nodes::run_taesd)
