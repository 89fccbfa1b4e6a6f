#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/conditioning.h"

namespace nodes {
namespace {

struct ConditioningInterpolate final : Node {
    ConditioningInterpolate() : Node({.id = "conditioning.interpolate", .version = 1, .title = "Interpolate Conditionings", .category = "Conditioning",
                                      .help = "A row of prompts from one to another, for one picture each of a batch: tokens and pooled text are mixed number by number. With one noise "
                                              "for all pictures (Sample's same_noise) they change into one another."}) {}

    In<Conditioning>  from{this, "from", "The first; its first entry is taken"};
    In<Conditioning>  to  {this, "to", "The last; its first entry is taken"};
    Param<int>        steps{this, "steps", "How many, both ends included", {.initial = 8, .min = 2, .max = 4096}};
    Out<Conditioning> row {this, "conditioning", "The prompts in order"};

    void compute(Eval& ev) const override {
        if (ev[from].entries.empty()) ev.fail(from, "expected a conditioning with entries, got none");
        if (ev[to].entries.empty()) ev.fail(to, "expected a conditioning with entries, got none");
        const ConditioningEntry &a = ev[from].entries.front(), &b = ev[to].entries.front();
        if (a.context.size(0) != 1) ev.fail(from, "expected one prompt, got {}", a.context.size(0));
        if (a.context.shape() != b.context.shape()) ev.fail(to, "expected tokens of shape {} as the other has, got {}", gpu::to_string(a.context.shape()), gpu::to_string(b.context.shape()));
        std::vector<float> shares;
        for (int i = 0; i < ev[steps]; ++i) shares.push_back(static_cast<float>(i) / static_cast<float>(ev[steps] - 1));
        const auto mixed = [&](const Tensor& first, const Tensor& last) {
            gpu::Shape shape(first.shape().size(), 1);
            shape[0] = ev[steps];
            return first + gpu::tensor(shares, shape) * (last - first);      // [steps, ...]
        };
        ConditioningEntry made = a;
        made.context = mixed(a.context, b.context);
        if (a.pooled && b.pooled) made.pooled = mixed(a.pooled, b.pooled);
        ev.set(row, evaluated(Conditioning{{std::move(made)}}));
    }
};

}  // namespace

REGISTER_NODE(conditioning_interpolate, ConditioningInterpolate)

}  // namespace nodes
