#include "nodes/models/diffusion/attention_record.h"

#include "nodes/core/node.h"
#include "nodes/core/on_demand.h"
#include "nodes/types/attention.h"
#include "nodes/types/model.h"

namespace nodes {
namespace {

struct AttentionRecorder final : Node, ActsOnDemand {
    AttentionRecorder() : Node({.id = "attention.record", .version = 1, .title = "Record Attention", .category = "Attention",
                                .help = "A sampler behind this keeps where the network looks for each token of the positive prompt, averaged over the heads, layers and steps "
                                        "chosen here (DAAM), and gives it at its output attention. Pictures stay the same. Where nobody reads that output it costs nothing."}) {}

    In<Model>     model   {this, "model", "The model to sample with"};
    Param<double> start   {this, "start", "The part of the way from noise to picture after which is recorded: layout is settled early, detail late",
                           {.initial = 0.0, .min = 0.0, .max = 1.0, .step = 0.05}};
    Param<double> end     {this, "end", "The part of the way up to which is recorded", {.initial = 1.0, .min = 0.0, .max = 1.0, .step = 0.05}};
    Param<int>    finest  {this, "finest", "Layers whose map is at least so many times smaller than the latent; 1: up to the finest", {.initial = 1, .min = 1, .max = 64, .advanced = true}};
    Param<int>    coarsest{this, "coarsest", "Layers whose map is at most so many times smaller than the latent", {.initial = 64, .min = 1, .max = 64, .advanced = true}};
    Out<Model>    out     {this, "model", "The model, listened to"};

    const SocketType& acts_for() const override { return socket_type<Attention>(); }

    void compute(Eval& ev) const override {
        if (ev[start] >= ev[end]) ev.fail(end, "expected more than the start, {}, got {}", ev[start], ev[end]);
        if (ev[finest] > ev[coarsest]) ev.fail(coarsest, "expected at least {} as finest says, got {}", ev[finest], ev[coarsest]);
        ev.set(out, ev[model].with(std::make_shared<const AttentionRecord>(AttentionRecord::Settings{ev[start], ev[end], ev[finest], ev[coarsest]})));
    }
};

}  // namespace

REGISTER_NODE(attention_record, AttentionRecorder)

}  // namespace nodes
