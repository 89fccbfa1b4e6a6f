#include "nodes/core/node.h"
#include "nodes/models/merge/merge.h"
#include "nodes/types/encoder.h"

namespace nodes {
namespace {

struct EncoderMerge final : Node {
    EncoderMerge() : Node({.id = "encoder.merge", .version = 1, .title = "Merge Text Encoders", .category = "Model",
                           .help = "Mixes the weights of two sets of text encoders: a + ratio (b - a); with a third one, c: a + ratio (b - c). Words and tokenizer stay a's."}) {}

    In<Encoder>   a     {this, "a", "The encoders to change"};
    In<Encoder>   b     {this, "b", "The encoders that are mixed in"};
    In<Encoder>   c     {this, "c", "What b was trained from: then b's difference to it is added", {.optional = true}};
    Param<double> ratio {this, "ratio", "How much of b, 0 none, 1 all", {.initial = 0.5, .min = -2, .max = 2, .step = 0.05}};
    Out<Encoder>  merged{this, "encoder", "The merged encoders"};

    void compute(Eval& ev) const override {
        Encoder base = ev[a];
        const auto source = [&](const In<Encoder>& in, std::size_t tower) -> MergeSource {
            const Encoder& other = ev[in];
            if (other.towers().size() != base.towers().size() || other.towers()[tower].tower->info().width != base.towers()[tower].tower->info().width)
                ev.fail(in, "expected {} encoders of a's widths, got {}", base.towers().size(), other.summary());
            return {other.towers()[tower].tower->weights(), other.patches(tower)};
        };
        for (std::size_t tower = 0; tower < base.towers().size(); ++tower) {
            const auto patch = std::make_shared<const MergePatch>(gpu::format("{} merged in at {}", ev[b].towers().at(std::min(tower, ev[b].towers().size() - 1)).tower->summary(), ev[ratio]),
                                                                  source(b, tower), ev.has(c) ? std::optional(source(c, tower)) : std::nullopt, ev[ratio], BlockStrengths());
            base = base.with(tower, patch);
        }
        ev.set(merged, std::move(base));
    }
};

}  // namespace

REGISTER_NODE(encoder_merge, EncoderMerge)

}  // namespace nodes
