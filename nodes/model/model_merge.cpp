#include "nodes/core/node.h"
#include "nodes/models/lora/patch.h"
#include "nodes/models/merge/merge.h"
#include "nodes/types/model.h"

namespace nodes {
namespace {

struct ModelMerge final : Node {
    ModelMerge() : Node({.id = "model.merge", .version = 1, .title = "Merge Models", .category = "Model",
                         .help = "Mixes the weights of two models of one architecture: a + ratio (b - a); with a third one, c, adds what b learned from it: "
                                 "a + ratio (b - c). Patches of the models count. Nothing is computed before the model is used or saved."}) {}

    In<Model>          a     {this, "a", "The model to change"};
    In<Model>          b     {this, "b", "The model that is mixed in"};
    In<Model>          c     {this, "c", "What b was trained from: then b's difference to it is added", {.optional = true}};
    Param<double>      ratio {this, "ratio", "How much of b, 0 none, 1 all; beyond that what b learned counts more", {.initial = 0.5, .min = -2, .max = 2, .step = 0.05}};
    Param<std::string> blocks{this, "blocks", "Times the ratio for each block: 17 or 26 numbers (SD 1), 12 or 20 (SDXL), or names such as \"in=0.5 mid=1 out3-8=0.2 base=0\"; empty: 1 everywhere",
                              {.advanced = true}};
    Out<Model>         merged{this, "model", "The merged model"};

    void compute(Eval& ev) const override {
        const Model& base = ev[a];
        const auto source = [&](const In<Model>& in) -> MergeSource {
            const Model& other = ev[in];
            if (other.info().family != base.info().family)
                ev.fail(in, "expected a model of {}, as a is, got one of {}", family_title(base.info().family), family_title(other.info().family));
            return {other.base().weights(), other.patches()};
        };
        const auto patch = std::make_shared<const MergePatch>(gpu::format("{} merged in at {}", ev[b].base().summary(), ev[ratio]), source(b),
                                                              ev.has(c) ? std::optional(source(c)) : std::nullopt, ev[ratio], BlockStrengths(ev[blocks]));
        const std::vector<std::string> unmatched = patch->unmatched(base.base().weights());
        if (unmatched.size() == base.base().weights().size()) ev.fail(b, "expected a model with the layers of a, got none that fits");
        if (!unmatched.empty()) ev.warn("{} weights stay as they are, which the other model lacks, such as {}", unmatched.size(), unmatched[0]);
        ev.set(merged, base.with(patch));
    }
};

}  // namespace

REGISTER_NODE(model_merge, ModelMerge)

}  // namespace nodes
