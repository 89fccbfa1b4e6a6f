#include "nodes/core/node.h"
#include "nodes/types/model.h"

namespace nodes {
namespace {

enum class Prediction { Model, Epsilon, V, Sample };
enum class Snr { Model, Plain, Zero };
enum class Rule { Model, Linear, ScaledLinear, Cosine };

struct ModelSampling final : Node {
    ModelSampling() : Node({.id = "model.sampling", .version = 1, .title = "Model Sampling", .category = "Model",
                            .help = "Says how a model was trained where its file does not: what it predicts, and the noise levels of its training. "
                                    "The weights stay as they are."}) {}

    In<Model>         model     {this, "model", "The model"};
    Param<Prediction> prediction{this, "prediction", "What the network predicts: the noise, v, or the picture itself",
                                 {.initial = Prediction::Model, .names = {"model", "epsilon", "v", "sample"}}};
    Param<Snr>        snr       {this, "terminal_snr", "Whether the last level of the training still held some of the picture, or none (arXiv:2305.08891); none wants v or sample",
                                 {.initial = Snr::Model, .names = {"model", "plain", "zero"}}};
    Param<Rule>       rule      {this, "betas", "How the noise grew over the training's timesteps",
                                 {.initial = Rule::Model, .names = {"model", "linear", "scaled_linear", "cosine"}, .advanced = true}};
    Param<double>     start     {this, "beta_start", "The first timestep's; 0: the model's", {.initial = 0, .min = 0, .max = 0.5, .decimals = 6, .advanced = true}};
    Param<double>     end       {this, "beta_end", "The last timestep's; 0: the model's", {.initial = 0, .min = 0, .max = 0.999, .decimals = 6, .advanced = true}};
    Out<Model>        changed   {this, "model", "The same network, understood otherwise"};

    void compute(Eval& ev) const override {
        ModelInfo info = ev[model].info();
        if (ev[prediction] != Prediction::Model) info.prediction = static_cast<PredictionType>(static_cast<int>(ev[prediction]) - 1);
        if (ev[snr] != Snr::Model) info.noise.zero_terminal_snr = ev[snr] == Snr::Zero;
        if (ev[rule] != Rule::Model) info.noise.rule = static_cast<BetaRule>(static_cast<int>(ev[rule]) - 1);
        if (ev[start] > 0) info.noise.beta_start = ev[start];
        if (ev[end] > 0) info.noise.beta_end = ev[end];
        if (info.noise.zero_terminal_snr && info.prediction == PredictionType::Epsilon)
            ev.fail(snr, "expected prediction v or sample with zero terminal SNR, got epsilon: the last level holds no picture, and noise alone does not tell it");
        const NoiseTable table(info.noise);      // throws for betas that make none
        ev.set(changed, ev[model].with_info(std::move(info)));
    }
};

}  // namespace

REGISTER_NODE(model_sampling, ModelSampling)

}  // namespace nodes
