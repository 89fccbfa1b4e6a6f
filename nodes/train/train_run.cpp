#include "nodes/codec/image_file.h"
#include "nodes/core/node.h"
#include "nodes/training/loop.h"
#include "nodes/types/number.h"

namespace nodes {
namespace {

enum class Kind { AdamW, AdamW8, Adafactor, Sgd };
enum class Decay { Constant, Linear, Cosine };
enum class Activations { F32, BF16, F16 };

gpu::train::OptimiserRef optimiser_of(Kind kind, double decay) {
    switch (kind) {
        case Kind::AdamW8: return gpu::train::adamw8({.adam = {.weight_decay = decay}});
        case Kind::Adafactor: return gpu::train::adafactor({.weight_decay = decay, .relative_step = false});
        case Kind::Sgd: return gpu::train::sgd({.momentum = 0.9, .weight_decay = decay});
        default: return gpu::train::adamw({.weight_decay = decay});
    }
}

struct TrainRun final : Node {
    TrainRun() : Node({.id = "train.run", .version = 1, .title = "Train", .category = "Train",
                       .help = "Moves the parameters of an objective: an autoencoder, encoders, a diffusion network or a patch of one. A run that was stopped goes on from its "
                               "checkpoint and ends with the same bytes as one that was not.",
                       .side_effect = true}) {}

    In<ObjectiveRef>  objective{this, "objective", "What is trained, on what, towards what"};
    Param<int>        steps    {this, "steps", "Steps of the optimiser in all", {.initial = 1000, .min = 1, .max = 100000000}};
    Param<int>        batch    {this, "batch", "Items of a step's micro-batch", {.initial = 16, .min = 1, .max = 65536}};
    Param<int>        accumulate{this, "accumulate", "Micro-batches of a step, one after the other in memory", {.initial = 1, .min = 1, .max = 65536, .advanced = true}};
    Param<Kind>       optimiser{this, "optimiser", "AdamW (arXiv:1711.05101), the same with moments in 8 bits (arXiv:2110.02861), Adafactor (arXiv:1804.04235), SGD with momentum",
                                {.initial = Kind::AdamW, .names = {"adamw", "adamw8", "adafactor", "sgd"}}};
    Param<double>     rate     {this, "rate", "The learning rate at its highest", {.initial = 1e-4, .min = 0, .max = 100, .decimals = 7}};
    Param<Decay>      decay    {this, "decay", "How the rate goes on after the warm-up, until the last step", {.initial = Decay::Cosine, .names = {"constant", "linear", "cosine"}}};
    Param<double>     end_rate {this, "end_rate", "The rate at the end, as a share of the highest", {.initial = 0.02, .min = 0, .max = 1, .advanced = true}};
    Param<int>        warmup   {this, "warmup", "Steps in which the rate rises", {.initial = 100, .min = 0, .max = 1000000}};
    Param<double>     weight_decay{this, "weight_decay", "Of weights, not of biases and norms", {.initial = 0.01, .min = 0, .max = 10, .advanced = true}};
    Param<double>     clip     {this, "clip", "The highest norm of a step's gradient; 0: not clipped", {.initial = 1, .min = 0, .max = 1e9, .advanced = true}};
    Param<double>     ema      {this, "ema", "Decay of the moving average of the weights, which is what comes out; 0: none", {.initial = 0.999, .min = 0, .max = 0.999999, .decimals = 6}};
    Param<Activations> activations{this, "activations", "What is kept between the forward and the backward pass: bf16 and f16 take half the memory (arXiv:1710.03740); f16 scales the loss. Weights, "
                                   "sums and states are F32 in any case",
                                   {.initial = Activations::F32, .names = {"f32", "bf16", "f16"}, .advanced = true}};
    Param<Seed>       seed     {this, "seed", "Decides the order of items and all random choices", {}};
    Param<OutputPath> checkpoint{this, "checkpoint", "Where the run keeps its state, and goes on from; empty: nowhere", {.filter = "Safetensors (*.safetensors)", .required = false}};
    Param<int>        checkpoint_every{this, "checkpoint_every", "Steps between two states; 0: when the run ends or is stopped", {.initial = 1000, .min = 0, .max = 100000000, .advanced = true}};
    Param<OutputPath> log      {this, "log", "A table of step, loss, gradient norm and rate; empty: none", {.filter = "Tables (*.csv)", .required = false}};
    Param<int>        log_every{this, "log_every", "Steps between two rows", {.initial = 50, .min = 1, .max = 1000000, .advanced = true}};
    Param<OutputPath> samples  {this, "samples", "A picture of what the parameters can do by now; empty: none", {.filter = "Pictures (*.png)", .required = false}};
    Param<int>        sample_every{this, "sample_every", "Steps between two looks; 0: at the end", {.initial = 0, .min = 0, .max = 100000000, .advanced = true}};
    Out<Trained>      trained  {this, "trained", "What training made"};
    Out<double>       loss     {this, "loss", "The loss, a mean over the last steps"};

    void compute(Eval& ev) const override {
        namespace t = gpu::train;
        TrainPlan plan;
        plan.steps = ev[steps], plan.batch = ev[batch], plan.accumulate = ev[accumulate], plan.seed = ev[seed];
        plan.checkpoint = ev[checkpoint].path, plan.checkpoint_every = ev[checkpoint_every];
        plan.log = ev[log].path, plan.log_every = ev[log_every], plan.sample_every = ev[sample_every];
        t::TrainOptions& o = plan.options;
        o.optimiser = optimiser_of(ev[optimiser], ev[weight_decay]);
        o.schedule = {.decay = ev[decay] == Decay::Constant ? t::Schedule::Decay::Constant : ev[decay] == Decay::Linear ? t::Schedule::Decay::Linear : t::Schedule::Decay::Cosine,
                      .rate = ev[rate], .end = ev[rate] * ev[end_rate], .warmup = std::min<std::int64_t>(ev[warmup], plan.steps - 1), .total = plan.steps};
        o.max_norm = ev[clip];
        o.ema.decay = ev[ema];
        o.activations = ev[activations] == Activations::BF16 ? gpu::Dtype::BF16 : ev[activations] == Activations::F16 ? gpu::Dtype::F16 : gpu::Dtype::F32;
        if (o.activations == gpu::Dtype::F16) o.loss_scale = t::LossScaleOptions{};

        TrainEvents events;
        events.progress = [&](const TrainProgress& at) { ev.progress(at.step, at.steps); };
        events.samples = [&](const TrainProgress&, const Image& picture) {
            ev.preview(to_qimage(picture, 1024));
            if (ev[samples].empty()) return;
            write_image(ev[samples].path, picture, 0);
            ev.wrote(ev[samples].path);
        };
        events.stopped = [&](const TrainProgress&) { ev.resumable(); };
        const TrainOutcome outcome = train(*ev[objective], plan, ev.cancel_token(), events);
        for (const TrainMetric& metric : outcome.metrics) ev.report(metric.name, metric.value, metric.unit);
        ev.report("loss", outcome.last.loss);
        ev.report("rate", outcome.last.items_per_second, "items/s");
        ev.set(trained, outcome.trained);
        ev.set(loss, outcome.last.loss);
    }
};

}  // namespace

REGISTER_NODE(train_run, TrainRun)

}  // namespace nodes
