// Guidance rescale: Lin et al., "Common Diffusion Noise Schedules and Sample Steps are Flawed", arXiv:2305.08891, section 3.4.
#include "gpu/base/format.h"
#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/model.h"

namespace nodes {
namespace {

// Over channels and cells of each picture, [N, 1, 1, 1].
Tensor deviation(const Tensor& x) { return gpu::sqrt(gpu::mean(gpu::square(x - gpu::mean(x, {1, 2, 3})), {1, 2, 3})); }

class Rescale final : public StepPatch {
public:
    explicit Rescale(double share) : share_(share) {}
    std::string summary() const override { return gpu::format("guidance rescaled by {}", share_); }
    Tensor guided(const GuidanceInput& in, const Tensor& output) const override {
        if (!in.negative) return output;
        return gpu::lerp(output, output * (deviation(in.positive) / deviation(output)), share_);
    }

private:
    double share_;
};

struct GuidanceRescale final : Node {
    GuidanceRescale() : Node({.id = "guidance.rescale", .version = 1, .title = "Rescale Guidance", .category = "Guidance",
                              .help = "Brings the contrast of a guided prediction back to that of the conditioned one: against pictures that strong "
                                      "guidance burns."}) {}

    In<Model>     model{this, "model", "The model to sample with"};
    Param<double> share{this, "share", "How much of the rescaled prediction is taken", {.initial = 0.7, .min = 0, .max = 1, .step = 0.05}};
    Out<Model>    patched{this, "model", "The model with the patch"};

    void compute(Eval& ev) const override { ev.set(patched, ev[model].with(std::make_shared<const Rescale>(ev[share]))); }
};

}  // namespace

REGISTER_NODE(guidance_rescale, GuidanceRescale)

}  // namespace nodes
