// Perpendicular negative: Armandpour et al., "Re-imagine the Negative Prompt Algorithm", arXiv:2304.04968.
#include "gpu/base/format.h"
#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/conditioning.h"
#include "nodes/types/model.h"

namespace nodes {
namespace {

class Perpendicular final : public StepPatch {
public:
    Perpendicular(Conditioning empty, double weight) : empty_(std::move(empty)), weight_(weight) {}
    std::string summary() const override { return gpu::format("perpendicular negative at {}", weight_); }
    std::size_t bytes() const override { return conditioning_bytes(empty_); }
    std::vector<Conditioning> conditionings(const Conditioning&, const Conditioning*) const override { return {empty_}; }
    std::optional<Tensor> guide(const GuidanceInput& in) const override {
        const Tensor &nothing = in.others[0], towards = in.positive - nothing;
        Tensor direction = towards;
        if (in.negative) {
            const std::vector<int> each{1, 2, 3};      // a picture at a time
            const Tensor away = in.negative - nothing;
            const Tensor along = gpu::sum(away * towards, each) / gpu::maximum(gpu::sum(gpu::square(towards), each), 1e-20);
            direction = towards - (away - towards * along) * weight_;
        }
        return nothing + direction * in.scale;
    }

private:
    Conditioning empty_;
    double weight_;
};

struct GuidancePerpendicular final : Node {
    GuidancePerpendicular() : Node({.id = "guidance.perpendicular", .version = 1, .title = "Perpendicular Negative", .category = "Guidance",
                                    .help = "Takes from the negative prompt only what does not contradict the positive one. Costs a third prediction a step."}) {}

    In<Model>        model {this, "model", "The model to sample with"};
    In<Conditioning> empty {this, "empty", "The encoding of an empty prompt"};
    Param<double>    weight{this, "weight", "How strongly the negative prompt pushes away", {.initial = 1, .min = 0, .max = 20, .step = 0.1}};
    Out<Model>       patched{this, "model", "The model with the patch"};

    void compute(Eval& ev) const override { ev.set(patched, ev[model].with(std::make_shared<const Perpendicular>(ev[empty], ev[weight]))); }
};

}  // namespace

REGISTER_NODE(guidance_perpendicular, GuidancePerpendicular)

}  // namespace nodes
