#include "nodes/train/diffusion_params.h"

namespace nodes {
namespace {

struct TrainLora final : Node {
    TrainLora() : Node({.id = "train.lora", .version = 1, .title = "Train LoRA", .category = "Train",
                        .help = "A low-rank change of a UNet as something to train (arXiv:2106.09685); the UNet stays as it is. What comes out goes into sockets for a model, and "
                                "into Save LoRA. With a prior: DreamBooth by LoRA."}) {}

    DiffusionParams      common {this};
    In<Model>            model  {this, "model", "What is changed"};
    Param<int>           rank   {this, "rank", "Of the change of each layer", {.initial = 4, .min = 1, .max = 1024}};
    Param<double>        alpha  {this, "alpha", "The change is alpha / rank times what is learned", {.initial = 4, .min = 0.001, .max = 1024}};
    Param<LowRankLayers> layers {this, "layers", "attention: queries, keys, values, outputs; transformers: their other layers too; all: convolutions and embeddings too",
                                 {.initial = LowRankLayers::Attention, .names = {"attention", "transformers", "all"}}};
    Param<Seed>          seed   {this, "seed", "Of what is drawn", {}};
    Out<ObjectiveRef>    objective{this, "objective", "To train"};

    void compute(Eval& ev) const override {
        DiffusionTraining t = common.training(ev);
        t.moves = low_rank(ev[model], {.rank = ev[rank], .alpha = ev[alpha], .layers = ev[layers], .seed = ev[seed]});
        ev.set(objective, diffusion_objective(std::move(t)));
    }
};

}  // namespace

REGISTER_NODE(train_lora, TrainLora)

}  // namespace nodes
