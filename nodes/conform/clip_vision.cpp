// image, already normalised -> image_embeds, penultimate.
#include "nodes/conform/clip_case.h"
#include "nodes/models/clip/keys.h"
#include "nodes/models/clip/vision.h"

namespace nodes {
namespace {

ConformOutputs run_clip_vision(const ConformCase& given) {
    std::vector<gpu::Checkpoint> files;
    for (const std::string& path : given.weights) files.push_back(gpu::open_checkpoint(path));
    gpu::Weights weights;
    add_clip_vision_weights(weights, files);
    const ClipVisionConfig config = read_clip_vision_config(weights, {.heads = given.config()["heads"].toInt(), .activation = clip_activation(given)});
    const Scope scope = Scope::weights(std::move(weights));
    const ClipVision model(scope, config);
    scope.finish("vision tower");
    const std::vector<Tensor> states = model.states(given.input("image"));
    const Tensor pooled = model.pooled(states.back());
    ConformOutputs outputs{{"penultimate", states[states.size() - 2]}, {"pooled", pooled}, {"last_hidden_state", states.back()}};
    if (model.can_project()) outputs.emplace("image_embeds", model.projected(pooled));
    return outputs;
}

}  // namespace
}  // namespace nodes

REGISTER_CONFORM_KIND(clip_vision, nodes::run_clip_vision)
