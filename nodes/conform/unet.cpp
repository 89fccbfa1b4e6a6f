// latent, timestep, context (+ guidance_embedding; + pooled, size_ids) -> output.
#include <QJsonArray>

#include "nodes/conform/unet_case.h"
#include "nodes/models/unet/keys.h"
#include "nodes/models/unet/unet.h"

namespace nodes {

UnetHints unet_hints(const ConformCase& given) {
    UnetHints hints;
    const QJsonObject config = given.config();
    const QJsonValue heads = config["heads"];
    for (const QJsonValue& each : heads.isArray() ? heads.toArray() : QJsonArray{heads})
        if (each.isDouble()) hints.heads.push_back(each.toInt());
    hints.groups = config["norm_groups"].toInt();
    hints.pooled_width = config["pooled_dim"].toInt(given.has_input("pooled") ? static_cast<int>(given.input("pooled").size(-1)) : 0);
    hints.size_embedding = config["size_embed_dim"].toInt();
    return hints;
}

DenoiserInput unet_input(const ConformCase& given) {
    DenoiserInput input{.latent = given.input("latent"), .timestep = given.input("timestep"), .context = given.input("context")};
    if (given.has_input("pooled")) input.pooled = given.input("pooled");
    if (given.has_input("size_ids")) input.size_ids = given.input("size_ids");
    if (given.has_input("guidance_embedding")) input.guidance = given.input("guidance_embedding");
    return input;
}

namespace {

ConformOutputs run_unet(const ConformCase& given) {
    std::vector<gpu::Checkpoint> files;
    for (const std::string& path : given.weights) files.push_back(gpu::open_checkpoint(path));
    gpu::Weights weights;
    add_unet_weights(weights, files);
    const UnetConfig config = read_unet_config(weights, unet_hints(given));
    const Model model(make_unet(std::move(weights), config, unet_info(config)));
    return {{"output", (*model.denoiser())(unet_input(given))}};
}

}  // namespace
}  // namespace nodes

REGISTER_CONFORM_KIND(unet, nodes::run_unet)
