#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/conditioning.h"

namespace nodes {
namespace {

struct ConditioningAverage final : Node {
    ConditioningAverage() : Node({.id = "conditioning.average", .version = 1, .title = "Average Conditionings", .category = "Conditioning",
                                 .help = "A prompt between two: tokens and pooled text are mixed number by number. The shorter one is filled with zeros."}) {}

    In<Conditioning>  a{this, "a", "Conditioning at weight 1"};
    In<Conditioning>  b{this, "b", "Conditioning at weight 0; its first entry is taken"};
    Param<double>     weight{this, "weight", "Share of a", {.initial = 0.5, .min = 0, .max = 1, .step = 0.05}};
    Out<Conditioning> mixed{this, "conditioning", "The mixture"};

    void compute(Eval& ev) const override {
        Conditioning made = ev[a];
        if (ev[b].entries.empty()) ev.fail(b, "expected a conditioning with entries, got none");
        const ConditioningEntry& other = ev[b].entries.front();
        for (ConditioningEntry& entry : made.entries) {
            if (entry.context.size(2) != other.context.size(2)) ev.fail(b, "expected tokens of {} numbers, got {}", entry.context.size(2), other.context.size(2));
            // As long as a: b is cut or filled.
            Tensor tokens = other.context;
            const std::int64_t length = entry.context.size(1), missing = length - tokens.size(1);
            tokens = missing > 0 ? gpu::pad(tokens, {0, 0, 0}, {0, missing, 0}) : gpu::slice(tokens, 1, 0, length);
            entry.context = gpu::lerp(tokens, entry.context, ev[weight]);
            if (entry.pooled && other.pooled) entry.pooled = gpu::lerp(other.pooled, entry.pooled, ev[weight]);
        }
        ev.set(mixed, evaluated(std::move(made)));
    }
};

}  // namespace

REGISTER_NODE(conditioning_average, ConditioningAverage)

}  // namespace nodes
