// Differential diffusion: Levin and Fried, "Differential Diffusion: Giving Each Pixel Its Strength", arXiv:2306.00950.
#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/model.h"

namespace nodes {
namespace {

class Differential final : public StepPatch {
public:
    std::string summary() const override { return "a strength for each cell"; }
    // At step k of n the cells take part whose strength asks for n - k steps or more.
    Tensor mask(const StepInfo& at, const Tensor& mask) const override {
        const double threshold = 1 - double(at.step) / at.steps;
        return gpu::cast(gpu::less_equal(gpu::full({}, threshold - 1e-6), mask), gpu::Dtype::F32);
    }
};

struct InpaintDifferential final : Node {
    InpaintDifferential() : Node({.id = "inpaint.differential", .version = 1, .title = "Differential Diffusion", .category = "Inpaint",
                                  .help = "Reads the mask of a latent as how much each place may change: white is painted anew, 0.3 is changed as by a "
                                          "denoising strength of 0.3, black is kept. Without a mask it does nothing."}) {}

    In<Model>  model  {this, "model", "The model to sample with"};
    Out<Model> patched{this, "model", "The model with the patch"};

    void compute(Eval& ev) const override { ev.set(patched, ev[model].with(std::make_shared<const Differential>())); }
};

}  // namespace

REGISTER_NODE(inpaint_differential, InpaintDifferential)

}  // namespace nodes
