#include "nodes/core/node.h"
#include "nodes/types/model.h"

namespace nodes {
namespace {

struct ModelActivations final : Node {
    ModelActivations() : Node({.id = "model.activations", .version = 1, .title = "Model Activations", .category = "Model",
                               .help = "Chooses what a network keeps between its layers when it predicts. 16 bits take half the memory, and f16 is what the matrix units "
                                       "of GPUs multiply; sums and the prediction itself stay f32, and weights as they are stored. bf16 has the range of f32 and fewer digits."}) {}

    In<Model>          model      {this, "model", "The model"};
    Param<Activations> activations{this, "activations", "auto: f16 for weights of 16 or fewer bits where the device that computes has matrix units, else f32",
                                   {.initial = Activations::Auto, .names = activation_names()}};
    Out<Model>         changed    {this, "model", "The same network, computed otherwise"};

    void compute(Eval& ev) const override { ev.set(changed, ev[model].with_activations(ev[activations])); }
};

}  // namespace

REGISTER_NODE(model_activations, ModelActivations)

}  // namespace nodes
