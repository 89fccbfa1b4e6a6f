#include "nodes/train/diffusion_params.h"

namespace nodes {
namespace {

struct TrainWord final : Node {
    TrainWord() : Node({.id = "train.word", .version = 1, .title = "Train Word", .category = "Train",
                        .help = "Textual inversion (arXiv:2208.01618): vectors of a new word are learned, the text encoder and the UNet stay as they are. What comes out goes into "
                                "sockets for an encoder, and into Save Embedding."}) {}

    DiffusionParams   common{this};
    WordParams        words{this};
    In<Model>         model{this, "model", "That draws the pictures"};
    Out<ObjectiveRef> objective{this, "objective", "To train"};

    void compute(Eval& ev) const override {
        DiffusionTraining t = common.training(ev);
        t.word = words.learned(ev);
        t.moves = nothing_moves(ev[model]);
        ev.set(objective, diffusion_objective(std::move(t)));
    }
};

}  // namespace

REGISTER_NODE(train_word, TrainWord)

}  // namespace nodes
