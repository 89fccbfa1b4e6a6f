#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/conditioning.h"
#include <algorithm>

namespace nodes {
namespace {

struct ConditioningRange final : Node {
    ConditioningRange() : Node({.id = "conditioning.range", .version = 1, .title = "Conditioning Range", .category = "Conditioning",
                               .help = "Limits a prompt to a part of the sampling: 0 is where all is noise, 1 the finished picture."}) {}

    In<Conditioning>  conditioning{this, "conditioning", "What to limit"};
    Param<double>     start       {this, "start", "Where it begins to apply", {.initial = 0, .min = 0, .max = 1, .step = 0.05}};
    Param<double>     end         {this, "end", "Where it stops", {.initial = 1, .min = 0, .max = 1, .step = 0.05}};
    Out<Conditioning> limited     {this, "conditioning", "The limited conditioning"};

    void compute(Eval& ev) const override {
        if (ev[start] >= ev[end]) ev.fail(end, "expected an end behind the start {}, got {}", ev[start], ev[end]);
        Conditioning made = ev[conditioning];
        for (ConditioningEntry& entry : made.entries) {      // within the range that it had
            entry.start = std::max(entry.start, ev[start]);
            entry.end = std::min(entry.end, ev[end]);
        }
        std::erase_if(made.entries, [](const ConditioningEntry& entry) { return entry.start >= entry.end; });
        if (made.entries.empty()) ev.fail(conditioning, "expected a range that meets the conditioning's own, got none in common");
        ev.set(limited, std::move(made));
    }
};

}  // namespace

REGISTER_NODE(conditioning_range, ConditioningRange)

}  // namespace nodes
