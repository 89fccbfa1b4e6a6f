#include "nodes/train/diffusion_params.h"

namespace nodes {
namespace {

struct TrainUnet final : Node {
    TrainUnet() : Node({.id = "train.unet", .version = 1, .title = "Train UNet", .category = "Train",
                        .help = "A diffusion network as something to train: drawn anew in these sizes with Stable Diffusion 1's layout, or one that is there and moved on as a whole; with a prior: DreamBooth (arXiv:2208.12242)."}) {}

    DiffusionParams       common  {this};
    In<Model>             start   {this, "start", "A UNet to go on with, in place of the sizes below; its prediction type and noise levels stay", {.optional = true}};
    Param<std::string>    channels{this, "channels", "Of the levels, in multiples of 32; each further level halves the map", {.initial = "128,256"}};
    Param<std::string>    attends {this, "attends", "1 for each level with transformers, 0 for one without", {.initial = "1,1"}};
    Param<int>            blocks  {this, "blocks", "ResBlocks a level on the way down, one more on the way up", {.initial = 1, .min = 1, .max = 8}};
    Param<PredictionType> prediction{this, "prediction", "What the network learns to predict", {.initial = PredictionType::V, .names = {"epsilon", "v", "sample"}}};
    Param<bool>           zero_snr{this, "zero_terminal_snr", "The last noise level holds nothing of the picture (arXiv:2305.08891)", {.initial = false, .advanced = true}};
    Param<Seed>           seed    {this, "seed", "Of the weights that are drawn", {}};
    Out<ObjectiveRef>     objective{this, "objective", "To train"};

    void compute(Eval& ev) const override {
        DiffusionTraining t = common.training(ev);
        if (ev.has(start)) {
            const Model& model = ev[start];
            const auto* unet = dynamic_cast<const Unet*>(&model.base());
            if (!unet) ev.fail(start, "expected a UNet, got {}", model.summary());
            if (!model.patches().empty()) ev.warn("patches of the model are left out: Save Model bakes them in");
            t.moves = whole_network(unet->config(), training_info(unet->config(), t.examples, model.info().prediction, model.info().noise), unet->weights(), ev[seed]);
        } else {
            const std::vector<int> levels = numbers(ev, channels, 8192);
            std::vector<bool> with;
            for (const int one : numbers(ev, attends, 1)) with.push_back(one == 1);
            const UnetConfig config = small_unet_config(levels, with, ev[blocks], t.examples.format.channels, static_cast<int>(t.examples.context_width));
            t.moves = whole_network(config, training_info(config, t.examples, ev[prediction], {.zero_terminal_snr = ev[zero_snr]}), {}, ev[seed]);
        }
        ev.set(objective, diffusion_objective(std::move(t)));
    }

private:
    static std::vector<int> numbers(Eval& ev, const Param<std::string>& param, int most) {
        std::vector<int> list;
        for (const QString& part : QString::fromStdString(ev[param]).split(',')) {
            bool number = false;
            list.push_back(part.trimmed().toInt(&number));
            if (!number || list.back() < 0 || list.back() > most || list.size() > 8)
                ev.fail(param, "expected up to 8 numbers from 0 to {} with commas between, got \"{}\"", most, ev[param]);
        }
        return list;
    }
};

}  // namespace

REGISTER_NODE(train_unet, TrainUnet)

}  // namespace nodes
