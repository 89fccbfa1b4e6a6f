#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/sample/choices.h"

namespace nodes {
namespace {

struct SampleGuide final : Node {
    SampleGuide() : Node({.id = "sample.guide", .version = 1, .title = "Guide", .category = "Sample",
                          .help = "Classifier-free guidance: goes from the negative prediction towards the positive one, and beyond it."}) {}

    In<Tensor>    positive{this, "positive", "Prediction under the positive conditioning"};
    In<Tensor>    negative{this, "negative", "Prediction under the negative one"};
    Param<double> guidance{this, "guidance", "1 takes the positive prediction as it is", {.initial = 7, .min = 0, .max = 100, .step = 0.5}};
    Out<Tensor>   guided{this, "prediction", "negative + guidance (positive - negative)"};

    void compute(Eval& ev) const override {
        const Tensor &c = ev[positive], &u = ev[negative];
        if (c.shape() != u.shape()) ev.fail(negative, "expected {} as the positive prediction has, got {}", gpu::to_string(c.shape()), gpu::to_string(u.shape()));
        const Tensor made = u + (c - u) * ev[guidance];
        gpu::evaluate({made});
        ev.set(guided, made);
    }
};

}  // namespace

REGISTER_NODE(sample_guide, SampleGuide)

}  // namespace nodes
