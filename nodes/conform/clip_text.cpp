// tokens -> last_hidden_state (after the final norm), penultimate (before it), pooled, text_embeds.
#include <algorithm>

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/conform/clip_case.h"
#include "nodes/models/clip/keys.h"
#include "nodes/models/clip/text.h"

namespace nodes {
namespace {

// transformers' model takes an end id of 2, which old configurations name wrongly, as a wish for the highest id instead.
constexpr int legacy_eos = 2;

ConformOutputs run_clip_text(const ConformCase& given) {
    std::vector<gpu::Checkpoint> files;
    for (const std::string& path : given.weights) files.push_back(gpu::open_checkpoint(path));
    gpu::Weights weights;
    add_clip_text_weights(weights, files);
    const QJsonObject json = given.config();
    ClipTextHints hints{.heads = json["heads"].toInt(), .activation = clip_activation(given)};
    if (json["eos"].isDouble()) hints.eos = json["eos"].toInt();
    const ClipTextConfig config = read_clip_text_config(weights, hints);
    const Scope scope = Scope::weights(std::move(weights));
    const ClipText model(scope, config);
    scope.finish("text encoder");

    const Tensor tokens = given.input("tokens");
    const std::vector<float> values = gpu::to_floats(tokens);
    const std::vector<std::int32_t> ids(values.begin(), values.end());
    const std::int64_t batch = tokens.size(0), length = tokens.size(1);
    std::vector<std::int32_t> ends;
    for (std::int64_t b = 0; b < batch; ++b) {
        const auto first = ids.begin() + b * length, last = first + length;
        const auto end = config.eos == legacy_eos ? std::max_element(first, last) : std::find(first, last, config.eos);
        ends.push_back(end == last ? 0 : static_cast<std::int32_t>(end - first));
    }
    const std::vector<Tensor> states = model.states(model.tokens(gpu::tensor_i32(ids, {batch, length})));
    const Tensor last = model.normed(states.back()), pooled = model.pooled(last, gpu::tensor_i32(ends, {batch}));
    ConformOutputs outputs{{"last_hidden_state", last}, {"penultimate", states[states.size() - 2]}, {"pooled", pooled}};
    if (model.can_project()) outputs.emplace("text_embeds", model.projected(pooled));
    return outputs;
}

}  // namespace
}  // namespace nodes

REGISTER_CONFORM_KIND(clip_text, nodes::run_clip_text)
