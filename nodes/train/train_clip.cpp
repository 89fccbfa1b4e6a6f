#include "nodes/core/node.h"
#include "nodes/training/contrastive.h"
#include "nodes/types/text.h"

namespace nodes {
namespace {

struct TrainClip final : Node {
    TrainClip() : Node({.id = "train.clip", .version = 1, .title = "Train CLIP", .category = "Train",
                        .help = "A text encoder and an image encoder that learn to agree on which picture has which caption (arXiv:2103.00020). What comes out goes into sockets of "
                                "both kinds."}) {}

    In<Dataset>       dataset   {this, "dataset", "Square pictures with captions"};
    In<Dataset>       validation{this, "validation", "Pictures that are held back, for the share whose caption is found", {.optional = true}};
    In<std::string>   merges    {this, "merges", "The text encoder's merges, as dataset.merges learns them"};
    Param<int>        text_width{this, "text_width", "Of the text encoder, in heads of 64", {.initial = 192, .min = 64, .max = 4096, .step = 64}};
    Param<int>        text_layers{this, "text_layers", "Of the text encoder", {.initial = 3, .min = 1, .max = 48}};
    Param<int>        positions {this, "positions", "Tokens of a text, start and end included", {.initial = 32, .min = 4, .max = 1024}};
    Param<int>        width     {this, "width", "Of the image encoder, in heads of 64", {.initial = 192, .min = 64, .max = 4096, .step = 64}};
    Param<int>        layers    {this, "layers", "Of the image encoder", {.initial = 4, .min = 1, .max = 48}};
    Param<int>        patch     {this, "patch", "Side of the image encoder's patches", {.initial = 8, .min = 1, .max = 64, .unit = "px"}};
    Param<int>        projection{this, "projection", "Width of the embeddings that are compared", {.initial = 128, .min = 1, .max = 4096}};
    Param<double>     temperature{this, "temperature", "At the start; it is trained too", {.initial = 0.07, .min = 0.01, .max = 1, .advanced = true}};
    Param<Seed>       seed      {this, "seed", "Of the weights", {}};
    Out<ObjectiveRef> objective {this, "objective", "To train"};

    void compute(Eval& ev) const override {
        ContrastiveTraining t;
        t.dataset = ev[dataset];
        if (ev.has(validation)) t.validation = ev[validation];
        t.tokenizer = std::make_shared<ClipTokenizer>(ev[merges]);
        t.text = {.width = ev[text_width], .layers = ev[text_layers], .heads = std::max(1, ev[text_width] / 64), .inner = 4 * ev[text_width], .positions = ev[positions],
                  .projection = ev[projection]};
        t.vision = {.width = ev[width], .layers = ev[layers], .heads = std::max(1, ev[width] / 64), .inner = 4 * ev[width], .patch = ev[patch], .projection = ev[projection]};
        if (ev[text_width] % 64 != 0) ev.fail(text_width, "expected a multiple of 64, got {}", ev[text_width]);
        if (ev[width] % 64 != 0) ev.fail(width, "expected a multiple of 64, got {}", ev[width]);
        t.temperature = ev[temperature];
        t.seed = ev[seed];
        ev.set(objective, contrastive_objective(std::move(t)));
    }
};

}  // namespace

REGISTER_NODE(train_clip, TrainClip)

}  // namespace nodes
