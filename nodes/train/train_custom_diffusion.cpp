#include "nodes/train/diffusion_params.h"

namespace nodes {
namespace {

struct TrainCustomDiffusion final : Node {
    TrainCustomDiffusion() : Node({.id = "train.custom_diffusion", .version = 1, .title = "Train Custom Diffusion", .category = "Train",
                                   .help = "Custom Diffusion (arXiv:2212.04488): keys and values of a UNet's cross-attention and the vectors of a new word are learned together. The "
                                           "change goes into sockets for a model and into Save LoRA, the word into those for an encoder and into Save Embedding."}) {}

    DiffusionParams   common{this};
    WordParams        words{this};
    In<Model>         model{this, "model", "That draws the pictures"};
    Out<ObjectiveRef> objective{this, "objective", "To train"};

    void compute(Eval& ev) const override {
        DiffusionTraining t = common.training(ev);
        t.word = words.learned(ev);
        t.moves = cross_attention(ev[model]);
        ev.set(objective, diffusion_objective(std::move(t)));
    }
};

}  // namespace

REGISTER_NODE(train_custom_diffusion, TrainCustomDiffusion)

}  // namespace nodes
