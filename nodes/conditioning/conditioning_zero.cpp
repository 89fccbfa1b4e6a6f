#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/conditioning.h"

namespace nodes {
namespace {

struct ConditioningZero final : Node {
    ConditioningZero() : Node({.id = "conditioning.zero", .version = 1, .title = "Zero Conditioning", .category = "Conditioning",
                              .help = "Zeros in place of an encoded prompt: what SDXL was trained with for no prompt at all."}) {}

    In<Conditioning>  conditioning{this, "conditioning", "Whose shape is taken"};
    Out<Conditioning> zeros       {this, "conditioning", "Zeros of that shape"};

    void compute(Eval& ev) const override {
        Conditioning made = ev[conditioning];
        for (ConditioningEntry& entry : made.entries) {
            entry.context = gpu::zeros_like(entry.context);
            if (entry.pooled) entry.pooled = gpu::zeros_like(entry.pooled);
        }
        ev.set(zeros, evaluated(std::move(made)));
    }
};

}  // namespace

REGISTER_NODE(conditioning_zero, ConditioningZero)

}  // namespace nodes
