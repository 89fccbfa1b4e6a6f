#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/conditioning.h"

namespace nodes {
namespace {

struct ConditioningConcat final : Node {
    ConditioningConcat() : Node({.id = "conditioning.concat", .version = 1, .title = "Join Conditionings", .category = "Conditioning",
                                .help = "One longer prompt: the tokens of the second come after those of each entry of the first."}) {}

    In<Conditioning>  first{this, "first", "Conditioning whose areas, masks and pooled text stay"};
    In<Conditioning>  then {this, "then", "Tokens to append; its first entry is taken"};
    Out<Conditioning> joined{this, "conditioning", "The longer conditioning"};

    void compute(Eval& ev) const override {
        Conditioning made = ev[first];
        if (ev[then].entries.empty()) ev.fail(then, "expected a conditioning with entries, got none");
        const Tensor& tail = ev[then].entries.front().context;
        for (ConditioningEntry& entry : made.entries) {
            if (entry.context.size(2) != tail.size(2)) ev.fail(then, "expected tokens of {} numbers, got {}", entry.context.size(2), tail.size(2));
            const std::int64_t rows = std::max(entry.context.size(0), tail.size(0));
            const auto for_all = [&](const Tensor& x) { return gpu::broadcast_to(x, {rows, x.size(1), x.size(2)}); };
            entry.context = gpu::concat({for_all(entry.context), for_all(tail)}, 1);      // [N, L + L', D]
        }
        ev.set(joined, evaluated(std::move(made)));
    }
};

}  // namespace

REGISTER_NODE(conditioning_concat, ConditioningConcat)

}  // namespace nodes
